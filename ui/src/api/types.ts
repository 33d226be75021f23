// Shapes of /api/v1. Times are ISO 8601 in UTC, durations are seconds, null is "has not happened" or "not known".

export type RunStatus =
  | 'NOT_STARTED'
  | 'QUEUED'
  | 'STARTING'
  | 'STARTED'
  | 'CANCELING'
  | 'SUCCESS'
  | 'FAILURE'
  | 'CANCELED';

export interface RunFailure {
  step_key: string | null;
  error_class: string;
  message: string;
}

export interface Run {
  run_id: string;
  job_name: string;
  location: string;
  status: RunStatus;
  priority: number;
  tags: Record<string, string>;
  run_config: Record<string, unknown>;
  attempt: number;
  queue_seq: number | null;
  launch_seq: number | null;
  created_at: string;
  queued_at: string | null;
  launched_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  failure: RunFailure | null;
  held: { by: string | null; reason: string | null } | null;
  parent_run_id: string | null;
  root_run_id: string | null;
  /** How many times a worker that was lost was started anew. */
  resumes: number;
  /** Where its worker is, or was. */
  host_id: string | null;
  pid: number | null;
}

export interface ErrorInfo {
  error_class: string;
  message: string;
  stack: string[];
  library_frames: number;
  cause: ErrorInfo | null;
  /** The library frames as far as they are kept; each fold stands before the frame of `stack` with this number. */
  folded?: { before: number; frames: string[] }[];
  notes?: string[];
  /** Of an exception group. */
  members?: ErrorInfo[];
}

/** An exception as a worker records it in an event. */
export interface RecordedError extends Omit<ErrorInfo, 'error_class' | 'cause' | 'members'> {
  class_name: string;
  cause: RecordedError | null;
  members?: RecordedError[];
}

export interface RunEvent {
  cursor: string;
  type: string;
  timestamp: string;
  attempt: number;
  step_key: string | null;
  level: string;
  message: string;
  data: Record<string, unknown> & { error?: RecordedError | null; reused_steps?: Record<string, string[]> };
}

export type DaemonState = 'healthy' | 'idle' | 'late' | 'hung' | 'failing' | 'not_running' | 'off';

export interface DaemonError {
  at: string;
  error_class: string;
  message: string;
}

export interface Daemon {
  type: string;
  state: DaemonState;
  required: boolean;
  why_off: string | null;
  last_heartbeat: string | null;
  last_pass: { at: string; seconds: number; outcome: string } | null;
  next_pass_at: string | null;
  pass_since?: string | null;
  errors: DaemonError[];
  host: string | null;
  pid: number | null;
  leader: string | null;
  standbys: { host: string; pid: number; last_heartbeat: string }[];
}

export interface CodeLocation {
  name: string;
  state: 'LOADING' | 'LOADED' | 'ERROR';
  source: string;
  error: ErrorInfo | null;
  start_method: string;
  start_method_reason: string | null;
  updated_at: string;
  jobs: string[];
  /** Schedules and sensors that cannot run, each in a sentence. */
  problems: string[];
}

export interface Op {
  key: string;
  op_name: string;
  needs: string[];
  pool: string | null;
}

export interface JobSummary {
  location: string;
  name: string;
  description: string | null;
  tags: Record<string, string>;
  ops: Op[];
  pools: string[];
}

export type JsonSchema = { [key: string]: unknown };

export interface Job extends JobSummary {
  config_schema: JsonSchema;
  default_config: Record<string, unknown>;
}

export interface Validation {
  issues: { path: string; message: string }[];
  tag_issues: { key: string; message: string }[];
}

export type TickStatus = 'STARTED' | 'SKIPPED' | 'SUCCESS' | 'FAILURE';

export interface Tick {
  tick_id: string;
  time: string;
  status: TickStatus;
  run_ids: string[];
  /** Run keys that had a run already, and what overlap policies refused. */
  duplicate_run_keys: string[];
  refused: string[];
  skip_reason: string | null;
  error: ErrorInfo | null;
  /** Evaluations that failed in a row, this one the last; the first was that of `failing_since`. */
  failure_count: number;
  failing_since: string | null;
  ended_at: string | null;
}

export type InstigatorKind = 'schedules' | 'sensors';

export interface Instigator {
  location: string;
  name: string;
  status: 'RUNNING' | 'STOPPED';
  declared_in_code: boolean;
  cron_schedule?: string[];
  execution_timezone?: string;
  minimum_interval_seconds?: number;
  next_tick_at?: string | null;
  job_names: string[];
  /** Why it cannot be started, though its location loads. */
  problem: string | null;
  last_tick: Tick | null;
  description: string | null;
}

/** A process that serves the instance, with what of the instance file is not in force in it. */
export interface ServingProcess {
  process_id: string;
  command: string;
  host: string;
  pid: number;
  started_at: string;
  address: string | null;
  /** Keys of the instance file that it takes only when it starts. */
  restart: string[];
  /** Why it cannot use the file as it is now. */
  problem: string | null;
}

export interface Instance {
  name: string;
  version: string;
  home: string;
  storage: { kind: string };
  read_only: boolean;
  /** Seconds between SIGTERM and SIGKILL of a run that is terminated; 0: never killed. */
  cancel_timeout_seconds: number;
  configuration_text: string;
  configuration_file: string | null;
  notices: string[];
  processes: ServingProcess[];
  queue_depth: number;
  workspace_problem: string | null;
}
