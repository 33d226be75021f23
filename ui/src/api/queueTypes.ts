// Shapes of the queue, its limits and its pauses. Times are ISO 8601 in UTC, durations are seconds.

export type ReasonKind =
  | 'next'
  | 'max_concurrent_runs'
  | 'tag_limit'
  | 'pool'
  | 'paused'
  | 'held'
  | 'draining'
  | 'location_unavailable'
  | 'launcher_capacity'
  | 'no_queue_daemon'
  | 'fair_share'
  | 'rate_limit'
  | 'overlap'
  | 'weight'
  | 'status';

export interface Holder {
  run_id: string;
  job_name: string;
  step_key: string | null;
  slots: number;
  since: string;
}

export type PauseScope = 'queue' | 'tag' | 'pool' | 'location';

export interface PauseSubject {
  scope: PauseScope;
  name: string;
  value: string;
}

export interface Pause extends PauseSubject {
  /** What people call it: `queue`, `team=docs`. */
  subject: string;
  by: string;
  reason: string;
  since: string;
  until: string | null;
  drain: boolean;
}

export interface PauseInForce extends Pause {
  running: number;
}

export interface Reason {
  kind: ReasonKind;
  message: string;
  rule: string | null;
  limit: number | null;
  used: number | null;
  holders: string[];
  holder_details: Holder[];
  ahead: number;
  ahead_is_most: boolean;
  until: string | null;
  pause: Pause | null;
  /** It does not start until somebody acts. */
  needs_action: boolean;
}

export interface Overtaken {
  total: number;
  at_least: boolean;
  by_priority: number;
  by_limit: number;
  since: string | null;
  examples: string[];
  starving: boolean;
}

export interface QueueEntry {
  run_id: string;
  job_name: string;
  location: string;
  tags: Record<string, string>;
  position: number | null;
  forecast_position: number | null;
  priority: number;
  queued_at: string;
  waiting_seconds: number;
  estimated_start: string | null;
  reason: Reason;
  overtaken: Overtaken;
}

export interface Alternative {
  kind: 'now' | 'priority' | 'limit' | 'cancel';
  title: string;
  message: string;
  position: number | null;
  estimated_start: string | null;
  saves: number | null;
  priority: number | null;
  rule: string | null;
  limit: number | null;
  run_id: string | null;
}

export interface Explained extends QueueEntry {
  sooner: Alternative[];
}

export interface Starvation {
  kind: 'held_long' | 'overtaken';
  message: string;
  rule: string | null;
  since: string | null;
  starves: string[];
  by: string[];
}

export interface QueueSummary {
  depth: number;
  held: number;
  oldest_wait: number | null;
  started_last_hour: number;
  daemon_alive: boolean;
  estimate_error: { seconds: number; share: number; samples: number; message: string } | null;
  starvation: Starvation[];
  pauses: PauseInForce[];
}

/** A limit with its use. */
export interface Limit {
  rule: string;
  kind: string;
  /** Null: none. */
  limit: number | null;
  used: number;
  full: boolean;
  holders: string[];
  holder_details: Holder[];
  waiting: number;
  waiting_is_all: boolean;
  longest_wait: number | null;
  next_free: string | null;
  source: 'file' | 'changed';
  changed_by: string | null;
  changed_at: string | null;
  /** A sentence where it matches nothing that is known. */
  note: string | null;
}

/** A limit, of whatever kind, that matches nothing that is known; `message` names the nearest name in use. */
export interface IdleLimit {
  kind: string;
  rule: string;
  name: string;
  message: string;
}

export type SettableKind = 'runs' | 'tag' | 'pool';

/** A limit that people may set, whether or not anything uses it. */
export interface LimitInForce {
  kind: SettableKind;
  /** The pool; of tags `key`, `key=value`, or `key=*` for each value, as lib/tagText reads them. */
  name: string;
  limit: number | null;
  origin: 'set' | 'file' | 'default' | 'none';
  note: string | null;
}

export interface AuditEntry {
  id: number;
  at: string;
  by: string;
  action: 'limit' | 'pause' | 'resume' | 'drain' | 'priority' | 'hold' | 'release' | 'cancel';
  subject: string;
  message: string;
}

/** Which queued runs; all that is given must fit. */
export interface QueueFilter {
  run_ids?: string[];
  job?: string;
  location?: string;
  tags?: Record<string, string>;
  priority?: number;
  held?: boolean;
  all?: boolean;
}

export type SteerAction = 'priority' | 'hold' | 'release' | 'cancel';

export interface Steering {
  action: SteerAction;
  priority?: number;
  reason?: string;
}
