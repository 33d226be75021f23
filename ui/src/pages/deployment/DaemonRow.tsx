import type { Daemon } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { daemonLook } from '../../lib/status';
import { clock, duration, fineDuration, millis, relative } from '../../lib/time';
import { useMedium } from '../../lib/useNarrow';
import { useNow } from '../../lib/useNow';
import { aboutDaemon, remedy } from './daemonWords';
import { DaemonTrouble } from './DaemonTrouble';
import { Remedy } from './Remedy';
import classes from './Daemons.module.css';

interface DaemonRowProps {
  daemon: Daemon;
  cursor: boolean;
  onCursor: () => void;
}

const QUIET = ['healthy', 'idle'];

/** A daemon in one line; one in trouble has a second that says what, and how to mend it. */
export function DaemonRow({ daemon, cursor, onCursor }: DaemonRowProps) {
  const now = useNow();
  const about = aboutDaemon(daemon.type);
  // A cell must not span columns that are hidden: it would open them again.
  const medium = useMedium();
  const silent = daemon.state === 'not_running';
  const beat = millis(daemon.last_heartbeat);
  const standbys = daemon.standbys.map((standby) => `${standby.host} · ${standby.pid}`).join(', ');
  return (
    <tbody className={cursor ? classes.cursor : ''} onClick={onCursor} data-daemon={daemon.type} data-state={daemon.state}>
      <tr>
        <td>
          <StateWord look={daemonLook(daemon.state)} />
        </td>
        <td>
          <b className={classes.name}>{about.name}</b> <span className="dim">{about.does}</span>
        </td>
        <td className={`num ${silent ? 'fail strong' : 'dim-2'}`}>{beat === null ? '–' : relative(beat, now)}</td>
        <td>
          <LastPass daemon={daemon} now={now} />
        </td>
        <td className="dim-2 minor" title={daemon.last_pass?.outcome}>
          {daemon.last_pass?.outcome ?? '–'}
        </td>
        <td className="num dim-2">{silent ? '–' : nextPass(daemon, now)}</td>
        <td className="dim-2">{daemon.host ? `${daemon.host} · ${daemon.pid}` : '–'}</td>
        <td className="dim-2 minor">{standbys || '–'}</td>
      </tr>
      {!QUIET.includes(daemon.state) && (
        <tr className={classes.second}>
          <td />
          <td colSpan={3}>
            <DaemonTrouble daemon={daemon} now={now} />
          </td>
          <td colSpan={medium ? 2 : 4}>{remedy(daemon) && <Remedy daemon={daemon} />}</td>
        </tr>
      )}
    </tbody>
  );
}

/** A heartbeat is up to five seconds old: a daemon that is on time may have done meanwhile what it was due for. */
function nextPass(daemon: Daemon, now: number): string {
  const next = millis(daemon.next_pass_at);
  if (next === null) return '–';
  if (next >= now) return clock(next, now);
  return daemon.state === 'late' ? `was ${clock(next, now)}` : 'now';
}

function LastPass({ daemon, now }: { daemon: Daemon; now: number }) {
  const since = millis(daemon.pass_since);
  const at = millis(daemon.last_pass?.at);
  if (daemon.state === 'hung' && since !== null) {
    return (
      <>
        {clock(since, now)} <span className="fail">open for {duration(now - since)}</span>
      </>
    );
  }
  if (at === null) return <>–</>;
  return (
    <>
      {clock(at, now)} <span className="dim">{fineDuration(daemon.last_pass?.seconds ?? 0)}</span>
    </>
  );
}
