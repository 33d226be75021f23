// What pages read. The first part of a key is the topic of the event stream that makes it stale.

import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { get, getPage } from './client';
import type {
  CodeLocation, Daemon, Instance, Instigator, InstigatorKind, Job, JobSummary, Run, RunStatus, Tick,
} from './types';

export const RUNS_A_PAGE = 100;
const part = encodeURIComponent;

export function useInstance() {
  return useQuery({ queryKey: ['instance'], queryFn: ({ signal }) => get<Instance>('/instance', signal) });
}

export function useRuns(search: string) {
  return useInfiniteQuery({
    queryKey: ['runs', 'list', search],
    queryFn: ({ pageParam, signal }) => {
      const after = pageParam ? `&after=${part(pageParam)}` : '';
      return getPage<Run>(`/runs?limit=${RUNS_A_PAGE}${after}${search && `&${search}`}`, signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.after,
    placeholderData: keepPreviousData,
  });
}

export function useRunCounts() {
  return useQuery({
    queryKey: ['runs', 'counts'],
    queryFn: ({ signal }) => get<Partial<Record<RunStatus, number>>>('/runs/counts', signal),
  });
}

export function useRun(runId: string) {
  return useQuery({
    queryKey: ['run', runId, 'head'],
    queryFn: ({ signal }) => get<Run>(`/runs/${part(runId)}`, signal),
  });
}

export function useDaemons() {
  return useQuery({ queryKey: ['daemons'], queryFn: ({ signal }) => get<Daemon[]>('/daemons', signal) });
}

export function useLocations() {
  return useQuery({
    queryKey: ['locations', 'list'],
    queryFn: ({ signal }) => get<CodeLocation[]>('/locations', signal),
  });
}

export function useJobs() {
  return useQuery({ queryKey: ['locations', 'jobs'], queryFn: ({ signal }) => get<JobSummary[]>('/jobs', signal) });
}

export function useJob(location: string, name: string) {
  return useQuery({
    queryKey: ['locations', 'job', location, name],
    queryFn: ({ signal }) => get<Job>(`/jobs/${part(location)}/${part(name)}`, signal),
  });
}

export function useInstigators(kind: InstigatorKind) {
  return useQuery({
    queryKey: ['automation', kind],
    queryFn: ({ signal }) => get<Instigator[]>(`/${kind}`, signal),
  });
}

/** The last ticks, newest first. Read again only when the last tick is another one, not whenever any tick happens. */
export function useTicks(kind: InstigatorKind, instigator: Instigator, limit: number) {
  const last = instigator.last_tick;
  return useQuery({
    queryKey: ['ticks', kind, instigator.location, instigator.name, limit, last?.time, last?.status],
    queryFn: ({ signal }) => {
      const path = `/${kind}/${part(instigator.location)}/${part(instigator.name)}/ticks?limit=${limit}`;
      return get<Tick[]>(path, signal);
    },
    enabled: last !== null,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  });
}
