import { Button } from '@mantine/core';
import type { QueueFilter, SteerAction } from '../../api/queueTypes';
import { count, grouped } from '../../lib/words';
import { progressWords, VERBS } from './steerWords';
import type { SteerQuestion } from './SteerDialog';
import type { Bulk, BulkProgress } from './useBulk';
import classes from '../../components/BulkBar.module.css';

export interface BulkTarget {
  filter: QueueFilter;
  amount: number;
  /** `selected`, `fit`. */
  how: string;
}

interface BulkBarProps {
  target: BulkTarget | null;
  bulk: Bulk;
  ask: (question: SteerQuestion) => void;
  onClear: () => void;
}

const ACTIONS: SteerAction[] = ['hold', 'release', 'priority', 'cancel'];

/** What is done to many runs at once, and how far it has come. */
export function BulkBar({ target, bulk, ask, onClear }: BulkBarProps) {
  if (bulk.progress) return <Progress progress={bulk.progress} bulk={bulk} />;
  if (!target || target.amount === 0) return null;
  const { filter, amount } = target;
  const choose = (action: SteerAction) => {
    if (action === 'release') return void bulk.start({ action }, filter, amount);
    ask({ action, what: count(amount, 'run'), act: (steering) => void bulk.start(steering, filter, amount) });
  };
  return (
    <div className={classes.bar} role="toolbar" aria-label="Act on many runs">
      <b>
        {grouped(amount)} {target.how}
      </b>
      {ACTIONS.map((action) => (
        <Button key={action} size="compact-sm" onClick={() => choose(action)}>
          {VERBS[action]} {action === 'priority' ? `of ${grouped(amount)}…` : `${grouped(amount)}${action === 'release' ? '' : '…'}`}
        </Button>
      ))}
      <button type="button" className={classes.clear} onClick={onClear}>
        Clear
      </button>
    </div>
  );
}

function Progress({ progress, bulk }: { progress: BulkProgress; bulk: Bulk }) {
  const { changed, total, state } = progress;
  return (
    <div className={classes.bar}>
      <progress className={classes.progress} value={state === 'done' ? total : changed} max={total} aria-label="How far it has come" />
      <span role="status" className={progress.refusal ? 'fail' : ''}>
        {progressWords(progress)}
      </span>
      {state === 'running' ? (
        <Button size="compact-sm" onClick={bulk.stop}>
          Stop
        </Button>
      ) : (
        <button type="button" className={classes.clear} onClick={bulk.dismiss}>
          Close
        </button>
      )}
    </div>
  );
}
