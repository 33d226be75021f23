import type { ErrorInfo, RecordedError, RunEvent } from '../api/types';

/** The exception that an event carries, if any. */
export function errorOf(event: RunEvent): ErrorInfo | null {
  return event.data.error ? told(event.data.error) : null;
}

function told({ class_name, cause, members, ...rest }: RecordedError): ErrorInfo {
  return { ...rest, error_class: class_name, cause: cause ? told(cause) : null, members: members?.map(told) };
}

/** The last event that says why the run failed: a step's failure before the run's own. */
export function failureEvent(events: RunEvent[]): RunEvent | undefined {
  const last = (type: string) => events.findLast((event) => event.type === type && event.data.error);
  return last('STEP_FAILURE') ?? last('RUN_FAILURE') ?? events.findLast((event) => event.type === 'RUN_FAILURE');
}
