import { useInstance } from '../../api/queries';
import type { Run } from '../../api/types';
import { Notice } from '../../components/Notice';
import { clock, relative } from '../../lib/time';
import { useNow } from '../../lib/useNow';

/** A run that was told to stop: when, and what comes next if it does not. */
export function CancelingNotice({ run, since }: { run: Run; since: number | null }) {
  const now = useNow();
  const killAfter = useInstance().data?.cancel_timeout_seconds;
  const who = run.pid === null ? 'Its worker' : `Its worker, pid ${run.pid},`;
  const killed = since !== null && killAfter ? since + 1000 * killAfter : null;
  return (
    <Notice tone="wait">
      {who} got SIGTERM{since !== null && ` at ${clock(since, now)}`} and has not ended.
      {killed !== null && killed > now && ` It is killed at ${clock(killed, now)}, ${relative(killed, now)}, if it is still there.`}
    </Notice>
  );
}
