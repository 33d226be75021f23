import type { Limit } from '../../api/types';

/** What people call a limit: `Run slots`, `team=docs`. */
export function limitName(limit: Limit): string {
  return limit.kind === 'max_concurrent_runs' ? 'Run slots' : limit.rule;
}

export const isFull = (limit: Limit) => limit.used >= limit.limit;

/** `1 of 1, full` */
export function usage(limit: Limit): string {
  return `${limit.used} of ${limit.limit}${isFull(limit) ? ', full' : ''}`;
}
