// Where a run's time went: one row a step, one segment for each thing that its time was spent on.

export type SegmentKind = 'start-up' | 'pool-wait' | 'work' | 'failed' | 'retry-wait' | 'running' | 'canceled';

export interface Segment {
  kind: SegmentKind;
  from: number;
  to: number;
  attempt: number;
  /** Of a pool's wait the pool, of a failed attempt its error's class, of a retry's wait how long it was to be. */
  name?: string;
}

export type StepState = 'succeeded' | 'failed' | 'running' | 'skipped' | 'waiting' | 'reused' | 'canceled' | 'left out';

export interface StepRow {
  key: string;
  state: StepState;
  segments: Segment[];
  /** Steps that a step which has not started waits for: those of its own that have not succeeded. */
  needs: string[];
  /** The run whose outputs a reused step gives. */
  from?: string;
}

export interface Gantt {
  from: number;
  to: number;
  rows: StepRow[];
}
