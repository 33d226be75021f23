import type { QueueEntry } from '../../api/queueTypes';
import { clock, distance, fullTime, millis, sameDay } from '../../lib/time';
import classes from './QueueTable.module.css';

interface StartsAboutProps {
  entry: QueueEntry;
  now: number;
  accuracy: string | null;
}

/** When a run is expected to start; how far that is off usually is in the title. */
export function StartsAbout({ entry, now, accuracy }: StartsAboutProps) {
  const start = millis(entry.estimated_start);
  if (start === null) {
    return (
      <span className="dim" title={whyUnknown(entry)}>
        not foreseeable
      </span>
    );
  }
  const title = accuracy ? `${fullTime(start)}; ${accuracy}` : fullTime(start);
  if (start <= now) {
    return (
      <span title={title}>
        now
        <span className={classes.distance} />
      </span>
    );
  }
  return (
    <span title={title}>
      {clock(start, now, { seconds: false })}
      {sameDay(start, now) && <span className={classes.distance}>in {distance(start - now)}</span>}
    </span>
  );
}

function whyUnknown(entry: QueueEntry): string {
  if (entry.reason.needs_action) return 'It does not start until somebody acts';
  if (entry.forecast_position === null) return 'It is beyond the first 1,000 starts, as far as the forecast looks';
  return 'Nobody has seen yet how long what it waits for takes';
}
