import { useState } from 'react';
import { messageOf } from '../../api/client';
import { useInstance, useRunCounts } from '../../api/queries';
import { useReexecuteMany, useTerminate, type Doomed, type Strategy } from '../../api/runActions';
import type { Run, RunStatus } from '../../api/types';
import type { TerminateQuestion } from '../../components/TerminateDialog';
import { WAITING } from '../../lib/status';
import { count } from '../../lib/words';
import { reexecutedWords, terminatedWords } from './bulkWords';

export interface Told {
  text: string;
  bad: boolean;
  /** Runs that were made. */
  runIds: string[];
}

const STARTED: RunStatus[] = ['STARTING', 'STARTED'];

/** What a person may do to many runs, and what came of the last act; `onDone` once it was done. */
export function useRunsActs(onDone: () => void) {
  const reexecuting = useReexecuteMany();
  const terminating = useTerminate();
  const counts = useRunCounts().data ?? {};
  const readOnly = useInstance().data?.read_only ?? false;
  const [question, setQuestion] = useState<TerminateQuestion | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const refused = (error: Error) => setTold({ text: messageOf(error), bad: true, runIds: [] });
  const total = (statuses: RunStatus[]) => statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);

  const terminate = (doomed: Doomed) =>
    terminating.mutate(doomed, {
      onSuccess: (done) => {
        setTold({ text: terminatedWords(done), bad: false, runIds: [] });
        onDone();
      },
      onError: refused,
    });
  const ask = (doomed: Doomed, waiting: number, running: number, title: string, about?: string) =>
    setQuestion({ title, waiting, running, about, verb: `Terminate ${count(waiting + running, 'run')}`, act: () => terminate(doomed) });

  return {
    readOnly,
    busy: reexecuting.isPending || terminating.isPending,
    question,
    dismiss: () => setQuestion(null),
    told,
    forget: () => setTold(null),
    unfinished: total([...WAITING, ...STARTED]),
    reexecute: (runs: Run[], strategy: Strategy) =>
      reexecuting.mutate(
        { runIds: runs.map((run) => run.run_id), strategy },
        {
          onSuccess: (done) => {
            setTold({ text: reexecutedWords(done), bad: done.refused.length > 0, runIds: done.runs.map((run) => run.run_id) });
            onDone();
          },
          onError: refused,
        },
      ),
    askToTerminate: (runs: Run[]) => {
      const waiting = runs.filter((run) => run.launched_at === null).length;
      ask({ runIds: runs.map((run) => run.run_id) }, waiting, runs.length - waiting, `Terminate ${count(runs.length, 'run')}`);
    },
    askToTerminateAll: () =>
      ask('all', total(WAITING), total(STARTED), 'Terminate all runs', 'Every run of this instance that has not ended, whatever the filter shows.'),
  };
}

export type RunsActs = ReturnType<typeof useRunsActs>;
