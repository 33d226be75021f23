import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { Run } from '../../api/types';
import type { Gantt } from '../../lib/gantt/types';
import type { Selection } from '../../lib/useSelection';
import { CriticalPath } from './CriticalPath';
import { GanttAxis, GridLines } from './GanttAxis';
import { GanttRow } from './GanttRow';
import { GanttTable } from './GanttTable';
import classes from './Gantt.module.css';

const ROW = 24;

interface GanttChartProps {
  run: Run;
  chart: Gantt;
  path: string[];
  /** The step whose output and log are shown. */
  step: string | null;
  onStep: (step: string) => void;
  /** Null while no steps are chosen to be executed again. */
  picking: Selection | null;
}

/** Steps over time; only the rows in sight are drawn. */
export function GanttChart({ run, chart, path, step, onStep, picking }: GanttChartProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const scale = useElementSize();
  const rows = useVirtualizer({ count: chart.rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 10 });
  return (
    <div className={classes.body} ref={scroller}>
      <GanttAxis chart={chart} status={run.status} ended={run.ended_at !== null} />
      <div className={classes.rows} style={{ height: rows.getTotalSize() }}>
        <div className={classes.under} ref={scale.ref}>
          <GridLines chart={chart} />
        </div>
        {rows.getVirtualItems().map(({ index, start }) => {
          const row = chart.rows[index];
          if (!row) return null;
          return (
            <div key={row.key} className={classes.place} style={{ transform: `translateY(${start}px)` }}>
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
            </div>
          );
        })}
        <div className={classes.over}>
          <i className={`${classes.line} ${run.status === 'FAILURE' ? classes.failedLine : ''}`} />
          <CriticalPath chart={chart} path={path} rowHeight={ROW} />
        </div>
      </div>
      <GanttTable chart={chart} />
    </div>
  );
}
