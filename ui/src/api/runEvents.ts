import { useQuery, useQueryClient } from '@tanstack/react-query';
import { get } from './client';
import type { RunEvent } from './types';

const PAGE = 500;

export interface RunLog {
  events: RunEvent[];
  next: string | null;
}

/** A run's events; each reading goes on behind the last cursor and never asks for what is here already. */
export function useRunEvents(runId: string) {
  const client = useQueryClient();
  const queryKey = ['run', runId, 'events'];
  return useQuery({
    queryKey,
    queryFn: ({ signal }) => readOn(runId, client.getQueryData<RunLog>(queryKey), signal),
    structuralSharing: false,
  });
}

async function readOn(runId: string, before: RunLog | undefined, signal: AbortSignal): Promise<RunLog> {
  const found: RunEvent[] = [];
  let next = before?.next ?? null;
  for (;;) {
    const after = next ? `&after=${encodeURIComponent(next)}` : '';
    const page = await get<RunLog>(`/runs/${encodeURIComponent(runId)}/events?limit=${PAGE}${after}`, signal);
    found.push(...page.events);
    next = page.next;
    if (page.events.length < PAGE) break;
  }
  return found.length || !before ? { events: [...(before?.events ?? []), ...found], next } : before;
}
