import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, type ReactNode } from 'react';
import type { Op, Run, RunEvent } from '../../api/types';
import { criticalPath } from '../../lib/gantt/criticalPath';
import { gantt } from '../../lib/gantt/gantt';
import type { Gantt, StepRow } from '../../lib/gantt/types';
import { selectedSteps } from '../../lib/tags';
import { duration, millis } from '../../lib/time';
import type { Selection } from '../../lib/useSelection';
import { useNow } from '../../lib/useNow';
import { CriticalPath } from './CriticalPath';
import { GanttAxis, GridLines } from './GanttAxis';
import { GanttLegend } from './GanttLegend';
import { GanttRow } from './GanttRow';
import { GanttTable } from './GanttTable';
import classes from './Gantt.module.css';

const ROW = 24;

interface GanttChartProps {
  run: Run;
  chart: Gantt;
  ops: Op[];
  /** The step whose output and log are shown. */
  step: string | null;
  onStep: (step: string) => void;
  /** Null while no steps are chosen to be executed again. */
  picking: Selection | null;
  aside?: ReactNode;
}

/** The chart of a run; of one that ended it does not depend on the clock. Null before it has started. */
export function useGantt(run: Run, events: RunEvent[], ops: Op[]): Gantt | null {
  const end = millis(run.ended_at);
  const moving = useNow();
  const now = end ?? moving;
  const canceled = run.status === 'CANCELED';
  const selected = useMemo(() => selectedSteps(run.tags), [run.tags]);
  return useMemo(() => gantt(events, ops, { end, now, canceled, selected }), [events, ops, end, now, canceled, selected]);
}

/** Where the time of a run went, step by step; only the rows in sight are drawn. */
export function GanttChart({ run, chart, ops, step, onStep, picking, aside }: GanttChartProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const scale = useElementSize();
  const rows = useVirtualizer({ count: chart.rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 10 });
  const path = useMemo(() => (run.ended_at === null ? [] : criticalPath(chart.rows, ops)), [run.ended_at, chart.rows, ops]);
  const draw = (row: StepRow) => (
    <GanttRow
      row={row}
      chart={chart}
      width={scale.width}
      critical={path.includes(row.key)}
      chosen={row.key === step}
      onChoose={() => onStep(row.key)}
      ticked={picking?.chosen.has(row.key)}
      onTick={(range) => picking?.toggle(row.key, range)}
    />
  );
  return (
    <section className={classes.gantt} aria-label="Steps over time">
      <header className={classes.head}>
        <b>Where {duration(chart.to - chart.from)} went</b>
        <GanttLegend rows={chart.rows} path={path.length > 0} />
        <span className={classes.aside}>{aside}</span>
      </header>
      <div className={classes.body} ref={scroller}>
        <GanttAxis chart={chart} status={run.status} ended={run.ended_at !== null} />
        <div className={classes.rows} style={{ height: rows.getTotalSize() }}>
          <div className={classes.under} ref={scale.ref}>
            <GridLines chart={chart} />
          </div>
          {rows.getVirtualItems().map(({ index, start }) => {
            const row = chart.rows[index];
            return (
              row && (
                <div key={row.key} className={classes.place} style={{ transform: `translateY(${start}px)` }}>
                  {draw(row)}
                </div>
              )
            );
          })}
          <div className={classes.over}>
            <i className={`${classes.line} ${run.status === 'FAILURE' ? classes.failedLine : ''}`} />
            <CriticalPath chart={chart} path={path} rowHeight={ROW} />
          </div>
        </div>
      </div>
      <GanttTable chart={chart} />
    </section>
  );
}
