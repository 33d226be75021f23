import type { StepState } from '../../lib/gantt/types';
import type { GlyphName, Tone } from '../../lib/status';

/** Glyph and tone of a step; its word is its state. */
export const STEP_LOOKS: Record<StepState, [GlyphName, Tone]> = {
  succeeded: ['tick', 'ok'],
  reused: ['tick', 'idle'],
  failed: ['cross', 'fail'],
  running: ['play', 'run'],
  canceled: ['slash', 'idle'],
  skipped: ['skipped', 'idle'],
  'left out': ['skipped', 'idle'],
  waiting: ['ring', 'idle'],
};
