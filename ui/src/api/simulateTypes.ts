// What a what-if asks and answers. Durations are seconds.

export interface Waits {
  by: string;
  value: string | null;
  runs: number;
  never_started: number;
  median: number | null;
  p95: number | null;
  max: number | null;
}

export interface LimitOutcome {
  rule: string;
  kind: string;
  limit: number | null;
  /** Mean share of the limit in use, 0 to 1. */
  utilisation: number;
  peak: number;
  full_seconds: number;
}

export interface Starving {
  run_id: string;
  job_name: string;
  location: string;
  priority: number;
  tags: Record<string, string>;
  waited: number;
  times_median: number | null;
  started: boolean;
}

export interface Series {
  start: string | null;
  bucket_seconds: number;
  queued: number[];
  active: number[];
  limits: Record<string, number[]>;
}

export interface Outcome {
  launches: number;
  never_started: number;
  late: number;
  refused: number;
  canceled: number;
  makespan: number;
  waits: Waits[];
  limits: LimitOutcome[];
  starving: Starving[];
  series: Series;
}

export interface WhatIf {
  source: {
    kind: 'history' | 'load';
    from: string | null;
    to: string | null;
    runs: number;
    left_out: number;
    assumed_durations: number;
    notes: string[];
  };
  recorded: Waits[] | null;
  before: Outcome;
  after: Outcome | null;
}

export interface WhatIfQuestion {
  limits?: Record<string, unknown>;
  from: string;
  to?: string;
}
