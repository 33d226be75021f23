import { useMemo } from 'react';
import type { Op, Run, RunEvent } from '../../api/types';
import { gantt } from '../../lib/gantt/gantt';
import type { Gantt } from '../../lib/gantt/types';
import { selectedSteps } from '../../lib/tags';
import { millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';

/** The chart of a run; of one that ended it does not depend on the clock. Null before it has started. */
export function useGantt(run: Run, events: RunEvent[], ops: Op[]): Gantt | null {
  const end = millis(run.ended_at);
  const moving = useNow();
  const now = end ?? moving;
  const canceled = run.status === 'CANCELED';
  const selected = useMemo(() => selectedSteps(run.tags), [run.tags]);
  return useMemo(() => gantt(events, ops, { end, now, canceled, selected }), [events, ops, end, now, canceled, selected]);
}
