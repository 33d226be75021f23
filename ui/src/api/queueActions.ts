// What people do to the queue and its limits. Each returns once the server has committed.

import { useAction } from './actions';
import { post, put } from './client';
import type { PauseSubject, QueueFilter, SettableKind, Steering } from './queueTypes';
import type { Run } from './types';

const TOPICS = ['queue', 'runs', 'run'];
const part = encodeURIComponent;

export const useCancel = () => useAction((runId: string) => post<Run>(`/runs/${part(runId)}/cancel`), TOPICS);

export const useSetPriority = () =>
  useAction(
    ({ runId, priority }: { runId: string; priority: number }) => post(`/queue/${part(runId)}/priority`, { priority }),
    TOPICS,
  );

export const useHold = () =>
  useAction(({ runId, reason }: { runId: string; reason: string }) => post(`/queue/${part(runId)}/hold`, { reason }), TOPICS);

export const useRelease = () => useAction((runId: string) => post(`/queue/${part(runId)}/release`), TOPICS);

/** What the server says of a limit or a pause that matches nothing it knows. */
export interface Noted {
  note: string | null;
}

export interface PauseRequest extends PauseSubject {
  reason: string;
  until: string | null;
  drain: boolean;
}

export const usePause = () =>
  useAction(({ drain, ...request }: PauseRequest) => post<Noted>(drain ? '/queue/drain' : '/queue/pause', request), TOPICS);

export const useResume = () =>
  useAction(({ scope, name, value }: PauseSubject) => post('/queue/resume', { scope, name, value }), TOPICS);

export interface LimitRequest {
  kind: SettableKind;
  name: string;
  /** Null: what the instance file says again. */
  limit: number | null;
}

export const useSetLimit = () =>
  useAction((limit: LimitRequest) => put<Noted>('/limits', limit), TOPICS);

/** One call's share of a steering in bulk; `after` is where the next one goes on. */
export function steerSome(steering: Steering, filter: QueueFilter, after: number | null) {
  return post<{ changed: number; after: number | null }>('/queue/steer', { ...steering, filter, after });
}
