import { useSyncExternalStore } from 'react';
import { liveState, watchLive, type LiveState } from '../api/live';
import { useInstance } from '../api/queries';
import { Key } from '../components/Key';
import { currentKeys, keysEnabled, watchKeys } from '../keys/registry';
import classes from './StatusBar.module.css';

const WORDS: Record<LiveState, string> = { connecting: 'Connecting', live: 'Live', lost: 'Not live: reconnecting' };

/** Whether what is shown is current, of which instance, and the keys of this page. */
export function StatusBar({ onHelp }: { onHelp: () => void }) {
  const live = useSyncExternalStore(watchLive, liveState);
  const keys = useSyncExternalStore(watchKeys, currentKeys);
  const enabled = useSyncExternalStore(watchKeys, keysEnabled);
  const instance = useInstance().data;
  return (
    <footer className={classes.bar}>
      <span className={classes[live]} role="status">
        <i />
        {WORDS[live]}
      </span>
      {instance && <span title={instance.home}>{instance.name}</span>}
      {instance && <span>runyard {instance.version}</span>}
      {instance?.read_only && <span>read-only</span>}
      <span className={classes.keys}>
        {enabled &&
          keys.map((key) => (
            <span key={key.label}>
              {key.show.map((name) => (
                <Key key={name}>{name}</Key>
              ))}
              {key.label}
            </span>
          ))}
        <button type="button" onClick={onHelp}>
          <Key>?</Key>
          all keys
        </button>
      </span>
    </footer>
  );
}
