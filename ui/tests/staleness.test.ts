import { QueryClient, type QueryKey } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Staleness } from '../src/api/staleness';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watched(busy: () => boolean = () => false, cost: () => number = () => 0) {
  const client = new QueryClient();
  const told: QueryKey[] = [];
  vi.spyOn(client, 'invalidateQueries').mockImplementation((filters) => {
    if (filters?.queryKey) told.push(filters.queryKey as QueryKey);
    return cost() ? new Promise((resolve) => setTimeout(resolve, cost())) : Promise.resolve();
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

/** How long each of a row of answers holds the next reading back, in steps of 50 ms. */
async function rests(costs: number[]): Promise<number[]> {
  let cost = 0;
  const { staleness, told } = watched(undefined, () => cost);
  const found = [];
  for (cost of [...costs, 0]) {
    const before = told.length;
    let waited = -300; // the round itself
    staleness.note('daemons');
    for (; told.length === before; waited += 50) await vi.advanceTimersByTimeAsync(50);
    found.push(Math.max(0, waited));
    await vi.advanceTimersByTimeAsync(cost);
  }
  return found.slice(1);
}

it('lets what was read rest for four times as long as reading it took', async () => {
  const [rest] = await rests([200]);
  expect(rest).toBeGreaterThanOrEqual(500);
  expect(rest).toBeLessThanOrEqual(1050);
});

it('is held back for about a second by one slow answer, however slow', async () => {
  const [rest] = await rests([5000]);
  expect(rest).toBeLessThanOrEqual(1250);
});

it('rests longer only when answers are slow again and again, and forgets that with a fast one', async () => {
  const [first, second, third, fourth] = (await rests([3000, 3000, 3000, 3000])) as [number, number, number, number];
  expect(second).toBeGreaterThan(first);
  expect(third).toBeGreaterThan(second);
  expect(fourth).toBeGreaterThan(third);
  expect(fourth).toBeLessThanOrEqual(8250);
  const [, , afterFast, slowAgain] = (await rests([3000, 3000, 0, 3000])) as [number, number, number, number];
  expect(afterFast).toBe(0);
  expect(slowAgain).toBeLessThanOrEqual(1250);
});
