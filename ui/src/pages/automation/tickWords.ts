import type { Tick } from '../../api/types';
import { clock, millis } from '../../lib/time';
import { count, firstLine, listing } from '../../lib/words';

/** `failed 3 times in a row since 09:30`; empty for the first failure. */
export function inARow(tick: Tick, now: number): string {
  if (tick.failure_count < 2) return '';
  const since = millis(tick.failing_since);
  return `failed ${tick.failure_count} times in a row${since === null ? '' : ` since ${clock(since, now, { seconds: false })}`}`;
}

/** `failed 3 times in a row since 09:30: ValueError: no such file`, or the error alone. */
export function failureWords(tick: Tick, now: number): string {
  const error = tick.error ? `${tick.error.error_class}: ${firstLine(tick.error.message)}` : 'no error is known';
  return [inARow(tick, now), error].filter(Boolean).join(': ');
}

/** What a tick that made runs was refused; one that made none has it in its skip reason. */
export function droppedWords(tick: Tick): string {
  if (tick.status === 'SKIPPED') return '';
  const keys = tick.duplicate_run_keys;
  const dropped = keys.length > 0 ? [`dropped ${count(keys.length, 'run key')} that had a run already: ${listing(keys)}`] : [];
  return [...dropped, ...tick.refused].join('; ');
}
