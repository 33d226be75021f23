import { useState } from 'react';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import { useCancel, useHold, usePause, useRelease, useResume, useSetPriority } from '../../api/queueActions';
import type { QueueEntry, SteerAction, Steering } from '../../api/queueTypes';
import { shortId } from '../../lib/words';
import { isHeld } from './queueFilter';
import type { SteerQuestion } from './SteerDialog';

/** What a person may do to the queue and to one run in it, the server's last refusal, and its note on the last pause. */
export function useQueueActs() {
  const [question, setQuestion] = useState<SteerQuestion | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [note, setNote] = useState<string | null>(null);
  const [priority, hold, release, cancel] = [useSetPriority(), useHold(), useRelease(), useCancel()];
  const [pause, resume] = [usePause(), useResume()];
  const readOnly = useInstance().data?.read_only ?? false;
  const told = { onError: (error: Error) => setRefusal(messageOf(error)), onSuccess: () => setRefusal(null) };

  const act = ({ run_id: runId }: QueueEntry, steering: Steering) => {
    if (steering.action === 'priority') priority.mutate({ runId, priority: steering.priority ?? 0 }, told);
    else if (steering.action === 'hold') hold.mutate({ runId, reason: steering.reason ?? '' }, told);
    else if (steering.action === 'release') release.mutate(runId, told);
    else cancel.mutate(runId, told);
  };
  const ask = (entry: QueueEntry, action: SteerAction) =>
    setQuestion({
      action,
      what: entry.job_name,
      about: shortId(entry.run_id),
      priority: entry.priority,
      act: (steering) => act(entry, steering),
    });
  return {
    readOnly,
    refusal,
    question,
    setQuestion,
    ask,
    holdOrRelease: (entry: QueueEntry) => (isHeld(entry) ? act(entry, { action: 'release' }) : ask(entry, 'hold')),
    setPriority: (entry: QueueEntry, value: number) => act(entry, { action: 'priority', priority: value }),
    note,
    pause: (request: Parameters<typeof pause.mutate>[0]) =>
      pause.mutate(request, { ...told, onSuccess: (made) => (setRefusal(null), setNote(made.note)) }),
    resume: (subject: Parameters<typeof resume.mutate>[0]) =>
      resume.mutate(subject, { ...told, onSuccess: () => (setRefusal(null), setNote(null)) }),
  };
}

export type QueueActs = ReturnType<typeof useQueueActs>;
