import { useState } from 'react';
import { useCancel, useHold, useRelease, useSetPriority } from '../../api/actions';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import type { QueueEntry } from '../../api/types';

/** What a person may do to a queued run, and the server's last refusal. */
export function useQueueActs() {
  const [holding, setHolding] = useState<QueueEntry | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [priority, hold, release, cancel] = [useSetPriority(), useHold(), useRelease(), useCancel()];
  const readOnly = useInstance().data?.read_only ?? false;
  const told = { onError: (error: Error) => setRefusal(messageOf(error)), onSuccess: () => setRefusal(null) };
  return {
    readOnly,
    refusal,
    holding,
    stopHolding: () => setHolding(null),
    /** Opens the dialog that asks for the reason. */
    startHolding: (entry: QueueEntry) => setHolding(entry),
    hold: (entry: QueueEntry, reason: string) => {
      setHolding(null);
      hold.mutate({ runId: entry.run_id, reason }, told);
    },
    release: (entry: QueueEntry) => release.mutate(entry.run_id, told),
    cancel: (entry: QueueEntry) => cancel.mutate(entry.run_id, told),
    setPriority: (entry: QueueEntry, value: number) => priority.mutate({ runId: entry.run_id, priority: value }, told),
  };
}

export type QueueActs = ReturnType<typeof useQueueActs>;

export const isHeld = (entry: QueueEntry) => entry.reason.kind === 'held';
