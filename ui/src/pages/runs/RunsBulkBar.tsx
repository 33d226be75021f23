import { Button } from '@mantine/core';
import { Fragment, type Ref } from 'react';
import type { Run } from '../../api/types';
import { Key } from '../../components/Key';
import { RunLink } from '../../components/RunLink';
import { grouped } from '../../lib/words';
import { kindsOf, targets } from './bulkWords';
import type { RunsActs, Told } from './useRunsActs';
import classes from '../../components/BulkBar.module.css';

const LINKED = 5;

interface RunsBulkBarProps {
  ref: Ref<HTMLDivElement>;
  runs: Run[];
  acts: RunsActs;
  onClear: () => void;
}

/** What is done with the selected runs; each button says to how many of them. */
export function RunsBulkBar({ ref, runs, acts, onClear }: RunsBulkBarProps) {
  if (runs.length === 0) return null;
  const { failed, ended, unfinished } = targets(runs);
  return (
    <div ref={ref} className={classes.bar} role="toolbar" aria-label="Act on the selected runs">
      <b>{grouped(runs.length)} selected</b>
      <span className="dim-2">{kindsOf(runs)}</span>
      {failed.length > 0 && (
        <Button variant="filled" size="compact-sm" disabled={acts.busy} onClick={() => acts.reexecute(failed, 'from_failure')}>
          Re-execute {grouped(failed.length)} from failure
        </Button>
      )}
      {ended.length > 0 && (
        <Button size="compact-sm" disabled={acts.busy} onClick={() => acts.reexecute(ended, 'all')}>
          Re-execute {grouped(ended.length)} all steps
        </Button>
      )}
      {unfinished.length > 0 && (
        <Button size="compact-sm" disabled={acts.busy} onClick={() => acts.askToTerminate(unfinished)}>
          Terminate {grouped(unfinished.length)}…
        </Button>
      )}
      <button type="button" className={`${classes.clear} ${classes.right}`} onClick={onClear}>
        Clear <Key>Esc</Key>
      </button>
    </div>
  );
}

/** What came of an act on many runs, with the first of the runs that it made. */
export function ToldBar({ told, onClose }: { told: Told; onClose: () => void }) {
  const { text, bad, runIds } = told;
  return (
    <div className={classes.bar}>
      <span role={bad ? 'alert' : 'status'} className={bad ? 'fail' : ''}>
        {text}
      </span>
      <span>
        {runIds.slice(0, LINKED).map((runId, index) => (
          <Fragment key={runId}>
            {index > 0 && ', '}
            <RunLink runId={runId} />
          </Fragment>
        ))}
        {runIds.length > LINKED && ` and ${grouped(runIds.length - LINKED)} more`}
      </span>
      <button type="button" className={`${classes.clear} ${classes.right}`} onClick={onClose}>
        Close
      </button>
    </div>
  );
}
