import type { RunEvent } from '../../api/types';
import { errorOf } from '../../lib/events';
import { fullTime, millis, preciseClock } from '../../lib/time';
import { firstLine } from '../../lib/words';
import classes from './EventLog.module.css';

const TONES: Record<string, string> = { WARNING: 'wait', ERROR: 'fail', CRITICAL: 'fail' };

export function EventRow({ event }: { event: RunEvent }) {
  const at = millis(event.timestamp);
  const tone = TONES[event.level] ?? '';
  const error = errorOf(event);
  return (
    <div className={`${classes.row} ${tone === 'fail' ? classes.bad : ''}`}>
      <span className={classes.time} title={at === null ? undefined : fullTime(at)}>
        {at !== null && preciseClock(at)}
      </span>
      <span className={`${classes.level} ${tone}`}>{event.level}</span>
      <span className={`${classes.step} cut`} title={event.step_key ?? undefined}>
        {event.step_key ?? 'run'}
      </span>
      <span className={classes.message}>
        {event.message || (error ? `${error.error_class}: ${firstLine(error.message)}` : '')}
      </span>
      <span className={classes.type}>{event.type === 'LOG' ? '' : event.type}</span>
    </div>
  );
}
