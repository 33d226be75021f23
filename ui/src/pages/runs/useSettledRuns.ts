import { useRef, useState } from 'react';
import type { Run } from '../../api/types';

/**
 * Runs as they come, except that new ones gather while somebody reads: the row under the pointer never moves.
 * Rows that are shown already follow every change.
 */
export function useSettledRuns(runs: Run[], reading: boolean) {
  const [, redraw] = useState(0);
  const top = useRef<string | null>(null);
  const index = top.current === null ? -1 : runs.findIndex((run) => run.run_id === top.current);
  const newer = reading && index > 0 ? index : 0;
  if (newer === 0) top.current = runs[0]?.run_id ?? null;
  const showNewer = () => {
    top.current = null;
    redraw((times) => times + 1);
  };
  return { shown: newer ? runs.slice(newer) : runs, newer, showNewer };
}
