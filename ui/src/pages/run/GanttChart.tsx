import { useMemo } from 'react';
import type { Op, Run, RunEvent } from '../../api/types';
import { gantt, tickLabel, ticks, total, type Gantt, type SegmentKind, type StepRow } from '../../lib/gantt';
import { duration, millis } from '../../lib/time';
import { useNarrow } from '../../lib/useNarrow';
import { useNow } from '../../lib/useNow';
import { GanttRow } from './GanttRow';
import { GanttTable } from './GanttTable';
import classes from './Gantt.module.css';

const LEGEND: [SegmentKind, string][] = [
  ['start-up', 'start-up'],
  ['work', 'work'],
  ['running', 'running'],
  ['failed', 'failed attempt'],
  ['retry-wait', 'retry waiting'],
];

/** Where the time of a run went, step by step. */
export function GanttChart({ run, events, ops }: { run: Run; events: RunEvent[]; ops: Op[] }) {
  const end = millis(run.ended_at);
  const moving = useNow();
  // An ended run's picture does not depend on the clock.
  const now = end ?? moving;
  const chart = useMemo(() => gantt(events, ops, { end, now }), [events, ops, end, now]);
  if (!chart || chart.rows.length === 0) return null;
  return (
    <section className={classes.gantt} aria-label="Steps over time">
      <header className={classes.head}>
        <b>Where {duration(chart.to - chart.from)} went</b>
        {legend(chart.rows).map(([kind, word]) => (
          <span key={kind}>
            <i className={`${classes.key} ${classes[kind]}`} />
            {word} {spent(chart.rows, kind)}
          </span>
        ))}
      </header>
      <div className={classes.body} aria-hidden="true">
        <Axis chart={chart} ended={end !== null} failed={run.status === 'FAILURE'} />
        {chart.rows.map((row) => (
          <GanttRow key={row.key} row={row} chart={chart} total={total(row)} />
        ))}
      </div>
      <GanttTable chart={chart} />
    </section>
  );
}

function legend(rows: StepRow[]): [SegmentKind, string][] {
  const seen = new Set(rows.flatMap((row) => row.segments.map((segment) => segment.kind)));
  return LEGEND.filter(([kind]) => seen.has(kind));
}

function spent(rows: StepRow[], kind: SegmentKind): string {
  const segments = rows.flatMap((row) => row.segments).filter((segment) => segment.kind === kind);
  return duration(segments.reduce((sum, segment) => sum + segment.to - segment.from, 0));
}

function Axis({ chart, ended, failed }: { chart: Gantt; ended: boolean; failed: boolean }) {
  const span = chart.to - chart.from;
  const narrow = useNarrow();
  const places = ticks(span, narrow ? 2 : 7).filter((place) => place < span * (narrow ? 0.55 : 0.9));
  return (
    <div className={classes.axis}>
      <span />
      <span className={classes.scale}>
        {places.map((place) => (
          <span key={place} className={classes.tick} style={{ left: `${(100 * place) / span}%` }}>
            {tickLabel(place)}
          </span>
        ))}
        <span className={`${classes.end} ${failed ? 'fail' : ''}`}>
          {failed ? 'failed' : ended ? 'ended' : 'now'} {duration(span)}
        </span>
      </span>
      <span className="num">total</span>
    </div>
  );
}
