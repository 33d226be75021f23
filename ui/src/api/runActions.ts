// What people do to runs: execute them again, stop them. Each returns once the server has committed.

import { useQuery } from '@tanstack/react-query';
import { useAction } from './actions';
import { get, post } from './client';
import type { Run } from './types';

const TOPICS = ['queue', 'runs', 'run'];
/** Runs that one request may name. */
const AT_ONCE = 1000;
const part = encodeURIComponent;

export type Strategy = 'all' | 'from_failure' | 'selected';

export interface Reexecution {
  runId: string;
  strategy: Strategy;
  steps?: string[];
}

export const useReexecute = () =>
  useAction(({ runId, ...body }: Reexecution) => post<Run>(`/runs/${part(runId)}/reexecute`, body), TOPICS);

export interface Reexecuted {
  runs: { run_id: string; parent_run_id: string }[];
  refused: { run_id: string; detail: string }[];
}

export const useReexecuteMany = () =>
  useAction(async ({ runIds, strategy }: { runIds: string[]; strategy: Strategy }) => {
    const done: Reexecuted = { runs: [], refused: [] };
    for (const run_ids of portions(runIds)) {
      const some = await post<Reexecuted>('/runs/reexecute', { run_ids, strategy });
      done.runs.push(...some.runs);
      done.refused.push(...some.refused);
    }
    return done;
  }, TOPICS);

/** How many left the queue, how many were told to stop, how many had ended already. */
export interface Terminated {
  canceled: number;
  canceling: number;
  ended: number;
}

/** Which runs are to stop: these, or all that have not ended. */
export type Doomed = { runIds: string[] } | 'all';

export const useTerminate = () =>
  useAction(async (doomed: Doomed) => {
    if (doomed === 'all') return post<Terminated>('/runs/cancel', { all: true });
    const done: Terminated = { canceled: 0, canceling: 0, ended: 0 };
    for (const run_ids of portions(doomed.runIds)) {
      const some = await post<Terminated>('/runs/cancel', { run_ids });
      done.canceled += some.canceled;
      done.canceling += some.canceling;
      done.ended += some.ended;
    }
    return done;
  }, TOPICS);

function portions(runIds: string[]): string[][] {
  const amount = Math.ceil(runIds.length / AT_ONCE);
  return Array.from({ length: amount }, (_, index) => runIds.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
}

/** Runs that retry or re-execute this one, the newest first. */
export function useChildren(runId: string) {
  const tag = `dagster/parent_run_id=${runId}`;
  return useQuery({
    queryKey: ['runs', 'children', runId],
    queryFn: ({ signal }) => get<Run[]>(`/runs?limit=5&tag=${part(tag)}`, signal),
  });
}
