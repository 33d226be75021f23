// What pages read of the queue. Each asks for what it shows and no more, however many runs wait.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, post } from './client';
import type { AuditEntry, Explained, IdleLimit, Limit, LimitInForce, QueueEntry, QueueFilter, QueueSummary } from './queueTypes';

/** Entries that the server gives at a time at most; as far as its forecast reaches. */
export const MOST_ENTRIES = 1000;
export const ENTRIES_AT_FIRST = 100;

/** The first entries in the order in which runs will start. */
export function useQueue(limit = ENTRIES_AT_FIRST) {
  return useQuery({
    queryKey: ['queue', 'entries', limit],
    queryFn: ({ signal }) => get<QueueEntry[]>(`/queue?limit=${limit}`, signal),
    placeholderData: keepPreviousData,
  });
}

export function useQueueSummary() {
  return useQuery({
    queryKey: ['queue', 'summary'],
    queryFn: ({ signal }) => get<QueueSummary>('/queue/summary', signal),
  });
}

/** How many queued runs fit a filter; null asks for nothing. */
export function useQueueCount(filter: QueueFilter | null) {
  return useQuery({
    queryKey: ['queue', 'count', filter],
    queryFn: () => post<{ count: number }>('/queue/count', { filter }),
    select: ({ count }) => count,
    enabled: filter !== null,
  });
}

/** One run with what would start it sooner; null asks for nothing. */
export function useExplained(runId: string | null) {
  return useQuery({
    queryKey: ['queue', 'explained', runId],
    queryFn: ({ signal }) => get<Explained>(`/queue/${encodeURIComponent(runId ?? '')}`, signal),
    enabled: runId !== null,
  });
}

export function useLimits() {
  return useQuery({ queryKey: ['queue', 'limits'], queryFn: ({ signal }) => get<Limit[]>('/limits', signal) });
}

export function useLimitsInForce() {
  return useQuery({
    queryKey: ['queue', 'in force'],
    queryFn: ({ signal }) => get<LimitInForce[]>('/limits/in-force', signal),
  });
}

/** Limits that match nothing, as far as the server knows. */
export function useIdleLimits() {
  return useQuery({ queryKey: ['queue', 'idle limits'], queryFn: ({ signal }) => get<IdleLimit[]>('/limits/idle', signal) });
}

export function useQueueHistory(limit: number) {
  return useQuery({
    queryKey: ['queue', 'history', limit],
    queryFn: ({ signal }) => get<AuditEntry[]>(`/queue/history?limit=${limit}`, signal),
    placeholderData: keepPreviousData,
  });
}
