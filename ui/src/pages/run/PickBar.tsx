import { Button } from '@mantine/core';
import type { Op } from '../../api/types';
import type { Selection } from '../../lib/useSelection';
import { count } from '../../lib/words';
import { stepsAfter } from './stepsAfter';
import classes from '../../components/BulkBar.module.css';

interface PickBarProps {
  ops: Op[];
  picking: Selection;
  busy: boolean;
  onAct: (steps: string[]) => void;
  onClose: () => void;
}

/** While steps are chosen in the chart: what is done with them. */
export function PickBar({ ops, picking, busy, onAct, onClose }: PickBarProps) {
  const chosen = [...picking.chosen];
  const after = stepsAfter(ops, picking.chosen);
  return (
    <div className={classes.bar} role="toolbar" aria-label="Re-execute selected steps">
      <b>{chosen.length ? `${count(chosen.length, 'step')} selected` : 'Select steps in the chart'}</b>
      <Button variant="filled" size="compact-sm" disabled={chosen.length === 0 || busy} loading={busy} onClick={() => onAct(chosen)}>
        Re-execute {count(chosen.length, 'step')}
      </Button>
      {after.length > 0 && (
        <Button size="compact-sm" disabled={busy} onClick={() => picking.add(after)}>
          Add {count(after.length, 'step')} after {chosen.length === 1 ? 'it' : 'them'}
        </Button>
      )}
      <span className="dim-2">What they need is taken over from this run.</span>
      <button type="button" className={classes.clear} onClick={onClose}>
        Leave it
      </button>
    </div>
  );
}
