// One word, one glyph and one tone for every state that the API knows.

import type { Reason } from '../api/queueTypes';
import type { DaemonState, RunStatus, TickStatus } from '../api/types';

export type Tone = 'ok' | 'run' | 'wait' | 'fail' | 'hold' | 'idle';

export type GlyphName =
  | 'tick' | 'cross' | 'play' | 'starting' | 'ring' | 'blocked' | 'held' | 'slash' | 'skipped' | 'late' | 'hung'
  | 'down' | 'idle' | 'off' | 'future';

export interface Look {
  glyph: GlyphName;
  tone: Tone;
  word: string;
  /** Success is quiet: its word stays grey. */
  quiet?: boolean;
}

const RUN_LOOKS: Record<RunStatus, Look> = {
  NOT_STARTED: { glyph: 'ring', tone: 'idle', word: 'Not started' },
  QUEUED: { glyph: 'ring', tone: 'idle', word: 'Queued' },
  STARTING: { glyph: 'starting', tone: 'run', word: 'Starting' },
  STARTED: { glyph: 'play', tone: 'run', word: 'Running' },
  CANCELING: { glyph: 'slash', tone: 'wait', word: 'Canceling' },
  SUCCESS: { glyph: 'tick', tone: 'ok', word: 'Success', quiet: true },
  FAILURE: { glyph: 'cross', tone: 'fail', word: 'Failed' },
  CANCELED: { glyph: 'slash', tone: 'idle', word: 'Canceled', quiet: true },
};

const DAEMON_LOOKS: Record<DaemonState, Look> = {
  healthy: { glyph: 'tick', tone: 'ok', word: 'Healthy', quiet: true },
  idle: { glyph: 'idle', tone: 'idle', word: 'Idle', quiet: true },
  late: { glyph: 'late', tone: 'wait', word: 'Late' },
  hung: { glyph: 'hung', tone: 'fail', word: 'Hung in a call' },
  failing: { glyph: 'cross', tone: 'fail', word: 'Failing' },
  not_running: { glyph: 'down', tone: 'fail', word: 'Not running' },
  off: { glyph: 'off', tone: 'idle', word: 'Off', quiet: true },
};

const TICK_LOOKS: Record<TickStatus, Look> = {
  STARTED: { glyph: 'play', tone: 'run', word: 'Evaluating' },
  SUCCESS: { glyph: 'tick', tone: 'ok', word: 'Success', quiet: true },
  SKIPPED: { glyph: 'skipped', tone: 'idle', word: 'Skipped', quiet: true },
  FAILURE: { glyph: 'cross', tone: 'fail', word: 'Failed' },
};

const BLOCKED: Look = { glyph: 'blocked', tone: 'wait', word: 'Blocked' };
const HELD: Look = { glyph: 'held', tone: 'hold', word: 'Held' };
const PAUSED: Look = { glyph: 'held', tone: 'hold', word: 'Paused' };
const STUCK: Look = { glyph: 'down', tone: 'fail', word: 'Stuck' };

/** How a waiting run looks: in order, blocked by a rule, stopped by a person, or stuck on something broken. */
export function reasonLook(reason: Reason): Look {
  switch (reason.kind) {
    case 'held':
      return HELD;
    case 'paused':
    case 'draining':
      return PAUSED;
    case 'location_unavailable':
    case 'no_queue_daemon':
      return STUCK;
    case 'next':
    case 'max_concurrent_runs':
    case 'launcher_capacity':
      return RUN_LOOKS.QUEUED;
    default:
      return BLOCKED;
  }
}

export function runLook(status: RunStatus, reason?: Reason | null): Look {
  return status === 'QUEUED' && reason ? reasonLook(reason) : RUN_LOOKS[status];
}

export const daemonLook = (state: DaemonState): Look => DAEMON_LOOKS[state];
export const tickLook = (status: TickStatus): Look => TICK_LOOKS[status];

export const FINISHED: ReadonlySet<RunStatus> = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);
export const IN_PROGRESS: RunStatus[] = ['STARTING', 'STARTED', 'CANCELING'];
export const WAITING: RunStatus[] = ['NOT_STARTED', 'QUEUED'];
