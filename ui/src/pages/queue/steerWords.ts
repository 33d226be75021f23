import type { SteerAction } from '../../api/queueTypes';
import { grouped } from '../../lib/words';
import type { BulkProgress } from './useBulk';

export const VERBS: Record<SteerAction, string> = { priority: 'Set priority', hold: 'Hold', release: 'Release', cancel: 'Cancel' };

const DONE: Record<SteerAction, string> = { priority: 'given another priority', hold: 'held', release: 'released', cancel: 'canceled' };

/** `2 500 of 2 500 held`, with the rest explained. */
export function progressWords({ action, changed, total, state, refusal }: BulkProgress): string {
  const words = `${grouped(changed)} of ${grouped(total)} ${DONE[action]}`;
  if (refusal) return `${words}, then refused: ${refusal}`;
  if (state === 'stopped') return `${words}, then stopped`;
  if (state === 'done' && changed < total) return `${words}, the others were so already or have left the queue`;
  return words;
}

/** What an act comes to, under the field that it asks for. */
export const EFFECTS: Record<SteerAction, string> = {
  priority: 'Higher starts first; among equals the age decides.',
  hold: 'Held runs keep their priority and their age, hold no slot, and start only when somebody releases them.',
  release: 'They take their place again.',
  cancel: 'They leave the queue and will not start.',
};
