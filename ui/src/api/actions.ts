// What pages do. Each returns once the server has committed; what it changed is read again at once.

import { useMutation } from '@tanstack/react-query';
import { post } from './client';
import { queryClient } from './queryClient';
import type { Instigator, InstigatorKind, Run, Validation } from './types';

const part = encodeURIComponent;

export interface LaunchRequest {
  job_name: string;
  location: string;
  run_config: unknown;
  tags: Record<string, string>;
}

/** An act; once it is done or refused, what it moves is read again. */
export function useAction<Input, Output = unknown>(act: (input: Input) => Promise<Output>, topics: string[]) {
  return useMutation<Output, Error, Input>({
    mutationFn: act,
    onSettled: () => Promise.all(topics.map((topic) => queryClient.invalidateQueries({ queryKey: [topic] }))),
  });
}

export const useLaunch = () => useAction((request: LaunchRequest) => post<Run>('/runs', request), ['runs', 'queue']);

export const useReload = () => useAction((name: string) => post(`/locations/${part(name)}/reload`), ['locations', 'automation']);

export const useSwitch = (kind: InstigatorKind) =>
  useAction(
    ({ instigator, on }: { instigator: Instigator; on: boolean }) =>
      post(`/${kind}/${part(instigator.location)}/${part(instigator.name)}/${on ? 'start' : 'stop'}`),
    ['automation'],
  );

export function validate(location: string, job: string, runConfig: unknown, tags: Record<string, string>) {
  const path = `/jobs/${part(location)}/${part(job)}/validate`;
  return post<Validation>(path, { run_config: runConfig, tags });
}
