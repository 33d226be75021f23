import type { RunStatus } from '../../api/types';
import { tickLabel, ticks } from '../../lib/gantt/axis';
import type { Gantt } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import { useNarrow } from '../../lib/useNarrow';
import classes from './Gantt.module.css';

const END_WORDS: Partial<Record<RunStatus, string>> = { FAILURE: 'failed', CANCELED: 'canceled', SUCCESS: 'succeeded' };

/** Times from the start, and when it ended. */
export function GanttAxis({ chart, status, ended }: { chart: Gantt; status: RunStatus; ended: boolean }) {
  const span = chart.to - chart.from;
  const narrow = useNarrow();
  const places = placesOf(chart, narrow).filter((place) => place < span * (narrow ? 0.55 : 0.88));
  return (
    <div className={classes.axis} aria-hidden="true">
      <span />
      <span className={classes.scale}>
        {places.map((place) => (
          <span key={place} className={classes.tick} style={{ left: `${(100 * place) / span}%` }}>
            {tickLabel(place)}
          </span>
        ))}
        <span className={`${classes.end} ${status === 'FAILURE' ? 'fail' : ''}`}>
          {ended ? (END_WORDS[status] ?? 'ended') : 'now'} {duration(span)}
        </span>
      </span>
      <span className="num">total</span>
    </div>
  );
}

/** Faint lines through all rows at the axis' times. */
export function GridLines({ chart }: { chart: Gantt }) {
  const span = chart.to - chart.from;
  const places = placesOf(chart, useNarrow());
  return places.map((place) => <i key={place} className={classes.grid} style={{ left: `${(100 * place) / span}%` }} />);
}

function placesOf(chart: Gantt, narrow: boolean): number[] {
  return ticks(chart.to - chart.from, narrow ? 2 : 7);
}
