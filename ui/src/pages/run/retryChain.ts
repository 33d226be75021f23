import type { Run } from '../../api/types';
import { AUTO_RETRY_TAG, WILL_RETRY_TAG } from '../../lib/tags';

export interface ChainLink {
  runId: string;
  /** Only of a run that is here. */
  run?: Run;
}

/** From the run that this one goes back to, to the runs that retry it; empty when it stands alone. */
export function retryChain(run: Run, children: Run[]): ChainLink[] {
  const before = [run.root_run_id, run.parent_run_id].filter((id): id is string => id !== null && id !== run.run_id);
  const later: ChainLink[] = [...children].reverse().map((child) => ({ runId: child.run_id, run: child }));
  const auto = run.tags[AUTO_RETRY_TAG];
  if (auto && !later.some((link) => link.runId === auto)) later.unshift({ runId: auto });
  const chain = [...[...new Set(before)].map((runId) => ({ runId })), { runId: run.run_id, run }, ...later];
  return chain.length > 1 ? chain : [];
}

/** Whether the server is about to retry it: said before the retry is there. */
export function retryIsComing(run: Run, chain: ChainLink[]): boolean {
  const last = chain[chain.length - 1];
  return run.tags[WILL_RETRY_TAG] === 'true' && (last === undefined || last.runId === run.run_id);
}
