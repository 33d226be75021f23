import { Modal, Switch } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { Key } from '../components/Key';
import { DialogHead } from '../components/DialogHead';
import { currentKeys, keysEnabled, setKeysEnabled, watchKeys } from '../keys/registry';
import { GO_TO } from '../keys/useGlobalKeys';
import classes from './KeysDialog.module.css';

const EVERYWHERE: [string[], string][] = [
  [['/'], 'search'],
  ...Object.entries(GO_TO).map(([key, { label }]): [string[], string] => [['g', key], label]),
  [['t'], 'light or dark'],
  [['?'], 'all keys'],
  [['Esc'], 'close'],
];

/** Every key, and the switch for people whose tools press keys of their own. */
export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const pageKeys = useSyncExternalStore(watchKeys, currentKeys);
  const enabled = useSyncExternalStore(watchKeys, keysEnabled);
  return (
    <Modal opened={opened} onClose={onClose} size={480}>
      <DialogHead title="Keys" onClose={onClose} />
      <div className={classes.lists}>
        <KeyList title="This page" keys={pageKeys.map((key) => [key.show, key.label])} />
        <KeyList title="Everywhere" keys={EVERYWHERE} />
      </div>
      <div className={classes.foot}>
        <Switch
          checked={enabled}
          onChange={(event) => setKeysEnabled(event.currentTarget.checked)}
          label="Single keys work while no field has the focus"
        />
      </div>
    </Modal>
  );
}

function KeyList({ title, keys }: { title: string; keys: [string[], string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      {keys.length === 0 && <p className="dim">none</p>}
      <dl>
        {keys.map(([names, label]) => (
          <div key={label}>
            <dt>
              {names.map((name) => (
                <Key key={name}>{name}</Key>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
