import { useNavigate } from 'react-router';
import type { QueueEntry } from '../../api/queueTypes';
import type { PageKey } from '../../keys/registry';
import { usePageKeys } from '../../keys/usePageKeys';
import type { QueueActs } from './useQueueActs';

interface KeysOf {
  move: PageKey;
  row: QueueEntry | undefined;
  acts: QueueActs;
  choose: (entry: QueueEntry) => void;
  why: (entry: QueueEntry) => void;
  pause: () => void;
  filter: () => void;
}

/** The keys of the queue page. */
export function useQueueKeys({ move, row, acts, choose, why, pause, filter }: KeysOf): void {
  const navigate = useNavigate();
  const onRow = (act: (entry: QueueEntry) => void) => () => row && !acts.readOnly && act(row);
  usePageKeys([
    move,
    {
      on: ['+', '=', '-'],
      show: ['+', '-'],
      label: 'priority',
      act: (key) => onRow((entry) => acts.setPriority(entry, entry.priority + (key === '-' ? -1 : 1)))(),
    },
    { on: ['h'], show: ['H'], label: 'hold or release', act: onRow(acts.holdOrRelease) },
    { on: ['x'], show: ['X'], label: 'select', act: onRow(choose) },
    { on: ['w'], show: ['W'], label: 'why', act: () => row && why(row) },
    { on: ['p'], show: ['P'], label: 'pause…', act: () => !acts.readOnly && pause() },
    { on: ['f'], show: ['F'], label: 'filter', act: filter },
    { on: ['Enter'], show: ['Enter'], label: 'open', act: () => row && void navigate(`/runs/${row.run_id}`) },
  ]);
}
