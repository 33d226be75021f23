import { useRef, useState } from 'react';
import { messageOf } from '../../api/client';
import { queryClient } from '../../api/queryClient';
import { steerSome } from '../../api/queueActions';
import type { QueueFilter, SteerAction, Steering } from '../../api/queueTypes';

export interface BulkProgress {
  action: SteerAction;
  changed: number;
  total: number;
  state: 'running' | 'done' | 'stopped';
  refusal: string | null;
}

/** One act on many runs, a batch after the other, each committed by itself. */
export function useBulk() {
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const stopped = useRef(false);

  const start = async (steering: Steering, filter: QueueFilter, total: number) => {
    stopped.current = false;
    let found: BulkProgress = { action: steering.action, changed: 0, total, state: 'running', refusal: null };
    setProgress(found);
    try {
      let after: number | null = null;
      do {
        const done = await steerSome(steering, filter, after);
        after = done.after;
        found = { ...found, changed: found.changed + done.changed };
        setProgress(found);
      } while (after !== null && !stopped.current);
      setProgress({ ...found, state: after === null ? 'done' : 'stopped' });
    } catch (error) {
      setProgress({ ...found, state: 'stopped', refusal: messageOf(error) });
    }
    for (const topic of ['queue', 'runs']) void queryClient.invalidateQueries({ queryKey: [topic] });
  };

  return { progress, start, stop: () => (stopped.current = true), dismiss: () => setProgress(null) };
}

export type Bulk = ReturnType<typeof useBulk>;
