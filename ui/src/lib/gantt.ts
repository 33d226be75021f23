// Where a run's time went, computed from its events and from what its steps need.

import type { Op, RunEvent } from '../api/types';
import { millis } from './time';

export type SegmentKind = 'start-up' | 'work' | 'failed' | 'retry-wait' | 'running';

export interface Segment {
  kind: SegmentKind;
  from: number;
  to: number;
  attempt: number;
}

export type StepState = 'succeeded' | 'failed' | 'running' | 'skipped' | 'waiting';

export interface StepRow {
  key: string;
  state: StepState;
  segments: Segment[];
  /** Steps that a step which has not started waits for. */
  needs: string[];
}

export interface Gantt {
  from: number;
  to: number;
  rows: StepRow[];
}

interface Building extends StepRow {
  attempt: number;
  open: { kind: 'start-up' | 'running' | 'retry-wait'; from: number } | null;
}

/** Rows in the order of the plan, then steps that the plan does not name; null before the run has started. */
export function gantt(events: RunEvent[], ops: Op[], { end, now }: { end: number | null; now: number }): Gantt | null {
  const start = startOf(events);
  if (start === null) return null;
  const rows = new Map<string, Building>(ops.map((op) => [op.key, emptyRow(op.key, op.needs)]));
  for (const event of events) {
    if (event.step_key) apply(event, event.step_key, rows);
  }
  const to = Math.max(end ?? now, start + 1);
  return { from: start, to, rows: [...rows.values()].map((row) => finished(row, to, end !== null)) };
}

function startOf(events: RunEvent[]): number | null {
  // A run that was resumed begins with its first start.
  const first = events.find((event) => event.type === 'RUN_START') ?? events.find((event) => event.type === 'STEP_START');
  return first ? millis(first.timestamp) : null;
}

function emptyRow(key: string, needs: string[]): Building {
  return { key, state: 'waiting', segments: [], needs, attempt: 1, open: null };
}

function apply(event: RunEvent, key: string, rows: Map<string, Building>): void {
  const at = millis(event.timestamp);
  if (at === null) return;
  const row = rows.get(key) ?? emptyRow(key, []);
  rows.set(key, row);
  switch (event.type) {
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
      close(row, at, 'failed');
      row.attempt += 1;
      open(row, 'retry-wait', at);
      break;
    case 'STEP_FAILURE':
      close(row, at, 'failed');
      row.state = 'failed';
      break;
    case 'STEP_SKIPPED':
      row.state = 'skipped';
      break;
    default:
  }
}

function open(row: Building, kind: NonNullable<Building['open']>['kind'], at: number): void {
  close(row, at, row.open?.kind === 'running' ? 'work' : (row.open?.kind ?? 'work'));
  row.open = { kind, from: at };
}

function close(row: Building, at: number, kind: SegmentKind): void {
  if (!row.open) return;
  row.segments.push({ kind, from: row.open.from, to: Math.max(at, row.open.from), attempt: row.attempt });
  row.open = null;
}

function finished(row: Building, to: number, ended: boolean): StepRow {
  if (row.open) {
    // A step that was under way when its run ended did not get to say so itself.
    const kind = row.open.kind === 'running' && ended ? 'failed' : row.open.kind;
    if (kind === 'failed') row.state = 'failed';
    row.segments.push({ kind, from: row.open.from, to, attempt: row.attempt });
  }
  return { key: row.key, state: row.state, segments: row.segments, needs: row.needs };
}

const NICE_STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
].map((seconds) => seconds * 1000);

/** Places for the axis in milliseconds from the start, about six of them. */
export function ticks(span: number, wanted = 7): number[] {
  const step = NICE_STEPS.find((each) => span / each <= wanted) ?? Math.ceil(span / wanted);
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
}

/** A place on the axis: `200 ms`, `15 s`, `2 m`, `1 h`. */
export function tickLabel(place: number): string {
  const seconds = place / 1000;
  if (seconds === 0) return '0';
  if (seconds < 1) return `${Math.round(place)} ms`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return seconds % 60 ? `${Math.floor(seconds / 60)} m ${seconds % 60} s` : `${seconds / 60} m`;
  return `${seconds / 3600} h`;
}

/** How long a step took in all, retries and their waiting included. */
export function total(row: StepRow): number | null {
  const [first] = row.segments;
  const last = row.segments[row.segments.length - 1];
  return first && last ? last.to - first.from : null;
}
