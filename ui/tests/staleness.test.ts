import { QueryClient, type QueryKey } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Staleness } from '../src/api/staleness';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watched(busy: () => boolean = () => false, cost = 0) {
  const client = new QueryClient();
  const told: QueryKey[] = [];
  vi.spyOn(client, 'invalidateQueries').mockImplementation((filters) => {
    if (filters?.queryKey) told.push(filters.queryKey as QueryKey);
    return cost ? new Promise((resolve) => setTimeout(resolve, cost)) : Promise.resolve();
  });
  vi.spyOn(client, 'isFetching').mockImplementation(() => (busy() ? 1 : 0));
  return { staleness: new Staleness(client), told };
}

it('reads once for a burst of changes', () => {
  const { staleness, told } = watched();
  for (let times = 0; times < 50; times += 1) staleness.note('daemons');
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([['daemons']]);
});

it('moves the queue with the runs', () => {
  const { staleness, told } = watched();
  staleness.note('runs');
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([['runs'], ['run'], ['queue']]);
});

it('reads again what was being read when it changed', () => {
  let busy = true;
  const { staleness, told } = watched(() => busy);
  staleness.note('daemons');
  vi.advanceTimersByTime(600);
  expect(told).toEqual([]);
  busy = false;
  vi.advanceTimersByTime(600);
  expect(told).toEqual([['daemons']]);
});

it('lets what is slow to read rest for four times as long', async () => {
  const { staleness, told } = watched(undefined, 1000);
  staleness.note('daemons');
  await vi.advanceTimersByTimeAsync(1250); // read from 250 to 1250 ms
  staleness.note('daemons');
  await vi.advanceTimersByTimeAsync(3900);
  expect(told).toEqual([['daemons']]);
  await vi.advanceTimersByTimeAsync(600);
  expect(told).toEqual([['daemons'], ['daemons']]);
});
