import { useRunCounts } from '../../api/queries';
import type { RunStatus } from '../../api/types';
import { grouped } from '../../lib/words';

const WORDS: [RunStatus[], string][] = [
  [['STARTING', 'STARTED', 'CANCELING'], 'running'],
  [['NOT_STARTED', 'QUEUED'], 'waiting'],
  [['FAILURE'], 'failed'],
  [['CANCELED'], 'canceled'],
  [['SUCCESS'], 'succeeded'],
];

/** `10 running, 14 waiting, 5 failed`: all runs, whatever the filter. */
export function CountsLine() {
  const counts = useRunCounts().data;
  if (!counts) return null;
  const parts = WORDS.flatMap(([statuses, word]) => {
    const amount = statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
    return amount ? [`${grouped(amount)} ${word}`] : [];
  });
  return <span>{parts.join(', ')}</span>;
}
