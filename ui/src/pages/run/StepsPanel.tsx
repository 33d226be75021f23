import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import type { Op, Run } from '../../api/types';
import { criticalPath } from '../../lib/gantt/criticalPath';
import type { Gantt } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import type { Selection } from '../../lib/useSelection';
import { count } from '../../lib/words';
import { GanttChart } from './GanttChart';
import { GanttLegend } from './GanttLegend';
import { StepGraph } from './StepGraph';
import classes from './Gantt.module.css';

export type StepsView = 'gantt' | 'graph';

interface StepsPanelProps {
  run: Run;
  chart: Gantt;
  ops: Op[];
  view: StepsView;
  onView: (view: StepsView) => void;
  step: string | null;
  onStep: (step: string) => void;
  picking: Selection | null;
}

const MANY = 12;

/** The steps of a run: over time, or as what needs what. */
export function StepsPanel({ run, chart, ops, view, onView, step, onStep, picking }: StepsPanelProps) {
  const path = useMemo(() => (run.ended_at === null ? [] : criticalPath(chart.rows, ops)), [run.ended_at, chart.rows, ops]);
  return (
    <section className={classes.gantt} aria-label="Steps">
      <header className={classes.head}>
        <b>Where {duration(chart.to - chart.from)} went</b>
        {chart.rows.length > MANY && <span>{count(chart.rows.length, 'step')}</span>}
        <GanttLegend rows={chart.rows} path={path.length > 0} />
        <SegmentedControl
          className={classes.aside}
          aria-label="Steps as"
          value={view}
          onChange={(next) => onView(next as StepsView)}
          data={[
            { value: 'gantt', label: 'Gantt' },
            { value: 'graph', label: 'Graph' },
          ]}
        />
      </header>
      {view === 'gantt' ? (
        <GanttChart run={run} chart={chart} path={path} step={step} onStep={onStep} picking={picking} />
      ) : (
        <StepGraph chart={chart} ops={ops} path={path} step={step} onStep={onStep} ticked={picking?.chosen} onTick={(key) => picking?.toggle(key)} />
      )}
    </section>
  );
}
