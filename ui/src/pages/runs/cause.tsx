import type { ReactNode } from 'react';
import type { QueueEntry } from '../../api/queueTypes';
import type { Run } from '../../api/types';
import { ReasonText } from '../../components/ReasonText';
import { firstLine } from '../../lib/words';

/** Why a run is where it is, in one line: its failure, what it waits for, who canceled or held it. */
export function cause(run: Run, entry: QueueEntry | undefined): ReactNode {
  if (run.failure) return <Failure run={run} />;
  if (run.status === 'QUEUED' && entry) return <ReasonText reason={entry.reason} />;
  if (run.attempt > 1) return `attempt ${run.attempt}`;
  return null;
}

/** The same for a title: text only. */
export function causeTitle(run: Run, entry: QueueEntry | undefined): string | undefined {
  if (run.failure) return `${run.failure.error_class}: ${run.failure.message}`;
  return run.status === 'QUEUED' ? entry?.reason.message : undefined;
}

function Failure({ run }: { run: Run }) {
  const failure = run.failure;
  if (!failure) return null;
  return (
    <>
      {failure.step_key && <b className="strong">{failure.step_key} </b>}
      <span className="mono fail">
        {failure.error_class}: {firstLine(failure.message)}
      </span>
    </>
  );
}
