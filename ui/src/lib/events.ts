import type { ErrorInfo, RunEvent } from '../api/types';

/** The exception that an event carries, if any. */
export function errorOf(event: RunEvent): ErrorInfo | null {
  return event.data.error ?? null;
}

/** The first event that says why the run failed: a step's failure before the run's own. */
export function failureEvent(events: RunEvent[]): RunEvent | undefined {
  const failed = (type: string) => events.findLast((event) => event.type === type && errorOf(event));
  const last = failed('STEP_FAILURE');
  return last ?? failed('RUN_FAILURE') ?? events.findLast((event) => event.type === 'RUN_FAILURE');
}
