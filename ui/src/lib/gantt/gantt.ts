// The chart of a run, computed from its events and from what its steps need.

import type { Op, RunEvent } from '../../api/types';
import { errorOf } from '../events';
import { duration, millis } from '../time';
import type { Gantt, Segment, SegmentKind, StepRow } from './types';

type OpenKind = 'start-up' | 'pool-wait' | 'running' | 'retry-wait';

interface Building extends StepRow {
  attempt: number;
  open: { kind: OpenKind; from: number; name?: string } | null;
}

export interface Frame {
  /** When the run ended; null while it is in progress. */
  end: number | null;
  now: number;
  canceled?: boolean;
  /** The only steps that the run does; without it all. */
  selected?: ReadonlySet<string>;
}

/** Rows in the order of the plan, then steps that the plan does not name; null before the run has started. */
export function gantt(events: RunEvent[], ops: Op[], frame: Frame): Gantt | null {
  const start = startOf(events);
  if (start === null) return null;
  const rows = new Map<string, Building>(ops.map((op) => [op.key, emptyRow(op.key, op.needs)]));
  let runAttempt = 0;
  let before = start;
  for (const event of events) {
    const at = millis(event.timestamp) ?? before;
    // A resumed run left behind what its worker before was doing.
    if (event.attempt > runAttempt) rows.forEach((row) => leaveBehind(row, before));
    runAttempt = Math.max(runAttempt, event.attempt);
    before = at;
    if (event.data.reused_steps) takeOver(event, rows);
    if (event.step_key) apply(event, at, rowOf(event.step_key, rows));
  }
  const to = Math.max(frame.end ?? frame.now, start + 1);
  const found = [...rows.values()].map((row) => finished(row, to, frame));
  return { from: start, to, rows: found.map((row) => ({ ...row, needs: missing(row, rows) })) };
}

/** The rows of a run that has not started. */
export function planned(ops: Op[]): Gantt {
  return { from: 0, to: 1, rows: ops.map((op) => finished(emptyRow(op.key, op.needs), 1, { end: null, now: 1 })) };
}

function startOf(events: RunEvent[]): number | null {
  // A run that was resumed begins with its first start.
  const first = events.find((event) => event.type === 'RUN_START') ?? events.find((event) => event.type === 'STEP_START');
  return first ? millis(first.timestamp) : null;
}

function emptyRow(key: string, needs: string[]): Building {
  return { key, state: 'waiting', segments: [], needs, attempt: 1, open: null };
}

function rowOf(key: string, rows: Map<string, Building>): Building {
  const row = rows.get(key) ?? emptyRow(key, []);
  rows.set(key, row);
  return row;
}

function takeOver({ data }: RunEvent, rows: Map<string, Building>): void {
  const parent = typeof data.parent_run_id === 'string' ? data.parent_run_id : undefined;
  for (const key of Object.keys(data.reused_steps ?? {})) {
    const row = rowOf(key, rows);
    // What this run did itself in an attempt before is not taken over from another.
    if (row.segments.length === 0) Object.assign(row, { state: 'reused', from: parent });
  }
}

function apply(event: RunEvent, at: number, row: Building): void {
  switch (event.type) {
    case 'ENGINE_EVENT':
      if (typeof event.data.waiting_for_pool === 'string') open(row, 'pool-wait', askedAt(event, at, row), event.data.waiting_for_pool);
      break;
    case 'STEP_WORKER_STARTING':
      open(row, 'start-up', at);
      break;
    case 'STEP_START':
    case 'STEP_RESTARTED':
      if (row.open?.kind !== 'running') open(row, 'running', at);
      row.state = 'running';
      break;
    case 'STEP_SUCCESS':
      close(row, at, 'work');
      row.state = 'succeeded';
      break;
    case 'STEP_UP_FOR_RETRY':
      close(row, at, 'failed', errorOf(event)?.error_class);
      row.attempt += 1;
      open(row, 'retry-wait', at, typeof event.data.seconds_to_wait === 'number' ? duration(1000 * event.data.seconds_to_wait) : undefined);
      break;
    case 'STEP_FAILURE':
      close(row, at, 'failed', errorOf(event)?.error_class);
      row.state = 'failed';
      break;
    case 'STEP_SKIPPED':
      row.state = 'skipped';
      break;
    default:
  }
}

/** A wait is told of once it is worth telling, and says since when it lasts. */
function askedAt({ data }: RunEvent, at: number, row: Building): number {
  const waited = typeof data.waited === 'number' ? 1000 * data.waited : 0;
  const before = row.open?.from ?? row.segments[row.segments.length - 1]?.to ?? 0;
  return Math.max(at - waited, before);
}

function leaveBehind(row: Building, at: number): void {
  if (!row.open) return;
  if (row.open.kind !== 'running') return close(row, at, row.open.kind, row.open.name);
  close(row, at, 'failed', 'worker lost');
  row.attempt += 1;
  row.state = 'waiting';
}

function open(row: Building, kind: OpenKind, at: number, name?: string): void {
  if (row.open) close(row, at, row.open.kind === 'running' ? 'work' : row.open.kind, row.open.name);
  row.open = { kind, from: at, name };
}

function close(row: Building, at: number, kind: SegmentKind, name?: string): void {
  if (!row.open) return;
  row.segments.push(segment(kind, row.open.from, Math.max(at, row.open.from), row.attempt, name));
  row.open = null;
}

function segment(kind: SegmentKind, from: number, to: number, attempt: number, name?: string): Segment {
  return name === undefined ? { kind, from, to, attempt } : { kind, from, to, attempt, name };
}

function finished(row: Building, to: number, { end, canceled, selected }: Frame): StepRow {
  let { state } = row;
  const segments = [...row.segments];
  if (row.open) {
    // A step that was under way when its run ended did not get to say so itself.
    const cut = row.open.kind === 'running' && end !== null;
    const kind = cut ? (canceled ? 'canceled' : 'failed') : row.open.kind;
    if (kind === 'failed' || kind === 'canceled') state = kind;
    segments.push(segment(kind, row.open.from, to, row.attempt, row.open.name));
  }
  if (state === 'waiting' && segments.length === 0 && selected && !selected.has(row.key)) state = 'left out';
  return { key: row.key, state, segments, needs: row.needs, ...(row.from && { from: row.from }) };
}

const DONE = new Set(['succeeded', 'reused']);

function missing(row: StepRow, rows: Map<string, Building>): string[] {
  return row.needs.filter((need) => !DONE.has(rows.get(need)?.state ?? ''));
}

/** How long a step took in all, retries and all waiting included. */
export function total(row: StepRow): number | null {
  const [first] = row.segments;
  const last = row.segments[row.segments.length - 1];
  return first && last ? last.to - first.from : null;
}
