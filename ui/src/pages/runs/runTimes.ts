import type { Run } from '../../api/types';
import { FINISHED } from '../../lib/status';
import { duration, elapsed, millis } from '../../lib/time';

/** How long a run waited from being asked for to being launched; null when it never waited in a queue. */
export function waited(run: Run, now: number): string | null {
  const asked = millis(run.queued_at ?? run.created_at);
  const left = millis(run.launched_at) ?? (FINISHED.has(run.status) ? millis(run.ended_at) : null);
  if (asked === null) return null;
  return left === null ? elapsed(now - asked) : duration(left - asked);
}

/** How long it has run, or ran; null before its worker has started. */
export function took(run: Run, now: number): string | null {
  const started = millis(run.started_at);
  if (started === null) return null;
  const ended = millis(run.ended_at);
  return ended === null ? elapsed(now - started) : duration(ended - started);
}
