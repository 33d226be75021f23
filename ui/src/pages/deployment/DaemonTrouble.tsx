import type { Daemon } from '../../api/types';
import { clock, millis } from '../../lib/time';
import { aboutDaemon, errorLine, trouble } from './daemonWords';

/** The sentence under a daemon that needs somebody, or is off. */
export function DaemonTrouble({ daemon, now }: { daemon: Daemon; now: number }) {
  if (daemon.state === 'off') return <OffBecause daemon={daemon} />;
  const error = errorLine(daemon);
  const since = millis(daemon.errors.at(-1)?.at);
  if (daemon.state === 'failing' && error) {
    return (
      <>
        <span className="mono fail">{error}</span>
        {since !== null && ` since ${clock(since, now)}${daemon.errors.length > 1 ? `, ${daemon.errors.length} times` : ''}`}
      </>
    );
  }
  return (
    <>
      {trouble(daemon, now)} {error && <span className="mono fail">{error}</span>}
    </>
  );
}

function OffBecause({ daemon }: { daemon: Daemon }) {
  const consequence = aboutDaemon(daemon.type).without;
  if (!daemon.why_off) return <>{consequence}</>;
  return (
    <>
      Off by <b className="mono">{daemon.why_off}</b>. {consequence}
    </>
  );
}
