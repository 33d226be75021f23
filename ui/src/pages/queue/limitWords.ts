import type { Limit } from '../../api/queueTypes';
import { clock, millis } from '../../lib/time';
import { grouped } from '../../lib/words';

/** What people call a limit: `Run slots`, `team=docs`. */
export function limitName(limit: Limit): string {
  return limit.kind === 'max_concurrent_runs' ? 'Run slots' : limit.rule;
}

/** `1 of 1, full` */
export function usage(limit: Limit): string {
  return `${limit.used} of ${limit.limit}${limit.full ? ', full' : ''}`;
}

/** `5 waiting`; `1 001+ waiting` when not every queued run was looked at. */
export function waitingWords(limit: Limit): string {
  return `${grouped(limit.waiting)}${limit.waiting_is_all ? '' : '+'} waiting`;
}

export function nextFree(limit: Limit, now: number): string | null {
  const at = millis(limit.next_free);
  return at === null ? null : clock(at, now, { seconds: false });
}

/** Limits that have slots: shares and pools without a limit have none. */
export const withSlots = (limits: Limit[]) => limits.filter((limit) => limit.limit !== null && limit.kind !== 'fair_share');
