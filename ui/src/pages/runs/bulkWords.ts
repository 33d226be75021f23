import type { Reexecuted, Terminated } from '../../api/runActions';
import type { Run } from '../../api/types';
import { FINISHED } from '../../lib/status';
import { count, grouped, listing, shortId } from '../../lib/words';

/** Which of the selected runs each act can be done to. */
export function targets(runs: Run[]) {
  return {
    failed: runs.filter((run) => run.status === 'FAILURE' || run.status === 'CANCELED'),
    ended: runs.filter((run) => FINISHED.has(run.status)),
    unfinished: runs.filter((run) => !FINISHED.has(run.status) && run.status !== 'CANCELING'),
  };
}

/** `3 failed, 1 running`: what was selected. */
export function kindsOf(runs: Run[]): string {
  const kinds: [string, number][] = [
    ['failed', runs.filter((run) => run.status === 'FAILURE').length],
    ['succeeded', runs.filter((run) => run.status === 'SUCCESS').length],
    ['canceled', runs.filter((run) => run.status === 'CANCELED').length],
    ['running', runs.filter((run) => ['STARTING', 'STARTED', 'CANCELING'].includes(run.status)).length],
    ['waiting', runs.filter((run) => run.status === 'QUEUED' || run.status === 'NOT_STARTED').length],
  ];
  return kinds.filter(([, amount]) => amount > 0).map(([word, amount]) => `${grouped(amount)} ${word}`).join(', ');
}

export function reexecutedWords({ runs, refused }: Reexecuted): string {
  const made = runs.length ? `${count(runs.length, 'run')} asked for again.` : 'Nothing was asked for again.';
  if (refused.length === 0) return made;
  const [first] = refused;
  return `${made} ${count(refused.length, 'run')} refused${first ? `: ${shortId(first.run_id)}, ${first.detail}` : '.'}`;
}

export function terminatedWords({ canceled, canceling, ended }: Terminated): string {
  const parts = [
    ...(canceled ? [`${count(canceled, 'run')} canceled before starting`] : []),
    ...(canceling ? [`${count(canceling, 'run')} told to stop`] : []),
    ...(ended ? [`${grouped(ended)} had ended already`] : []),
  ];
  return parts.length ? `${listing(parts)}.` : 'Nothing was left to stop.';
}
