import { useState } from 'react';
import { useNavigate } from 'react-router';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import { useReexecute, useTerminate, type Strategy } from '../../api/runActions';
import type { Run } from '../../api/types';
import type { TerminateQuestion } from '../../components/TerminateDialog';
import { FINISHED } from '../../lib/status';
import { shortId } from '../../lib/words';

/** What a person may do with a run, and the server's last refusal. */
export function useRunActs(run: Run) {
  const reexecute = useReexecute();
  const terminate = useTerminate();
  const navigate = useNavigate();
  const readOnly = useInstance().data?.read_only ?? false;
  const [question, setQuestion] = useState<TerminateQuestion | null>(null);
  const refused = [reexecute, terminate].find((act) => act.isError);
  const ended = FINISHED.has(run.status);
  const working = run.launched_at !== null;

  return {
    mayReexecute: ended && !readOnly,
    mayTerminate: !ended && run.status !== 'CANCELING' && !readOnly,
    busy: reexecute.isPending || terminate.isPending,
    refusal: refused ? messageOf(refused.error) : null,
    question,
    dismiss: () => setQuestion(null),
    /** The new run opens: it is what the person wants to see next. */
    reexecute: (strategy: Strategy, steps?: string[]) =>
      reexecute.mutate({ runId: run.run_id, strategy, ...(steps && { steps }) }, { onSuccess: (made) => void navigate(`/runs/${made.run_id}`) }),
    askToTerminate: () =>
      setQuestion({
        title: `Terminate ${run.job_name} ${shortId(run.run_id)}`,
        waiting: working ? 0 : 1,
        running: working ? 1 : 0,
        verb: 'Terminate',
        act: () => terminate.mutate({ runIds: [run.run_id] }),
      }),
  };
}

export type RunActs = ReturnType<typeof useRunActs>;
