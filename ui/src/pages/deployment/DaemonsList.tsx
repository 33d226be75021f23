import type { Daemon } from '../../api/types';
import { Command } from '../../components/Command';
import { StateWord } from '../../components/Glyph';
import { daemonLook } from '../../lib/status';
import { clock, fineDuration, millis, relative } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { aboutDaemon, remedy } from './daemonWords';
import { DaemonTrouble } from './DaemonTrouble';
import classes from './Daemons.module.css';

/** Daemons on a phone. */
export function DaemonsList({ daemons }: { daemons: Daemon[] }) {
  const now = useNow();
  return (
    <ul className={`rows ${classes.list}`}>
      {daemons.map((daemon) => (
        <DaemonItem key={daemon.type} daemon={daemon} now={now} />
      ))}
    </ul>
  );
}

function DaemonItem({ daemon, now }: { daemon: Daemon; now: number }) {
  const beat = millis(daemon.last_heartbeat);
  const found = remedy(daemon);
  const quiet = daemon.state === 'healthy' || daemon.state === 'idle';
  return (
    <li data-daemon={daemon.type} data-state={daemon.state}>
      <span className="first">
        <StateWord look={daemonLook(daemon.state)} />
        <b className="strong grow">{aboutDaemon(daemon.type).name}</b>
        {beat !== null && <span className={daemon.state === 'not_running' ? 'fail' : 'dim-2'}>{relative(beat, now)}</span>}
      </span>
      <span className="dim-2">{quiet ? passSentence(daemon, now) : <DaemonTrouble daemon={daemon} now={now} />}</span>
      {found && (
        <span>
          <Command text={found.text} prompt={found.prompt} />
        </span>
      )}
    </li>
  );
}

function passSentence(daemon: Daemon, now: number): string {
  const at = millis(daemon.last_pass?.at);
  const next = millis(daemon.next_pass_at);
  const last = at === null ? 'No pass yet' : `Last pass ${clock(at, now)}, ${fineDuration(daemon.last_pass?.seconds ?? 0)}`;
  return next === null ? `${last}.` : `${last}. Next ${clock(next, now)}`;
}
