import type { Segment, StepRow } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import { listing, shortId } from '../../lib/words';

const WORDS: Record<Segment['kind'], string> = {
  'start-up': 'started up for',
  'pool-wait': 'waited for a slot',
  work: 'worked',
  failed: 'failed after',
  'retry-wait': 'waited to retry',
  running: 'runs for',
  canceled: 'was canceled after',
};

/** `Attempt 2 failed after 5.1 s: KeyError` */
export function sentence(segment: Segment): string {
  const { kind, name } = segment;
  const spent = `Attempt ${segment.attempt} ${WORDS[kind]} ${duration(segment.to - segment.from)}`;
  if (kind === 'pool-wait') return `${spent} of pool ${name ?? ''}`;
  return kind === 'failed' && name ? `${spent}: ${name}` : spent;
}

/** Why a step has no time of its own. */
export function withoutTime({ state, needs, from }: StepRow): string {
  if (state === 'reused') return from ? `taken over from ${shortId(from)}` : 'taken over';
  if (state === 'left out') return 'not among the chosen steps';
  return needs.length ? `not started: needs ${listing(needs)}` : 'not started';
}
