import { useSearchParams } from 'react-router';
import type { Run } from '../../api/types';

const WHOLE_RUN = '';

/** Which step's log and output are shown, and which line of it; kept in the page's address so that it can be sent. */
export function usePlace(run: Run) {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('step');
  const line = Number(search.get('line'));
  const put = (step: string | null, at: number | null) => {
    const next = new URLSearchParams({ step: step ?? WHOLE_RUN });
    if (at !== null) next.set('line', String(at));
    setSearch(next, { replace: true });
  };
  // Of a failed run what its failing step printed is wanted first.
  const step = asked === null ? (run.status === 'FAILURE' ? (run.failure?.step_key ?? null) : null) : asked || null;
  return {
    step,
    /** Whether a person chose the step, rather than the failure. */
    chosen: Boolean(asked),
    line: Number.isInteger(line) && line > 0 ? line : null,
    setStep: (next: string | null) => put(next, null),
    setLine: (at: number) => put(step, at),
  };
}

export type Place = ReturnType<typeof usePlace>;
