import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../src/api/types';
import { gantt, tickLabel, ticks, total } from '../src/lib/gantt';

const event = (at: number, type: string, step_key: string | null = null): RunEvent => ({
  cursor: `0.${at}`, type, timestamp: new Date(at * 1000).toISOString(), step_key, level: 'INFO', message: '', data: {},
});
const op = (key: string, needs: string[] = []) => ({ key, op_name: key, needs, pool: null });

describe('gantt', () => {
  it('is nothing before the run has started', () => {
    expect(gantt([event(1, 'RUN_ENQUEUED')], [op('a')], { end: null, now: 9000 })).toBeNull();
  });

  it('shows attempts, the waiting between them and steps that never started', () => {
    const events = [
      event(10, 'RUN_START'), event(11, 'STEP_START', 'a'), event(13, 'STEP_UP_FOR_RETRY', 'a'),
      event(15, 'STEP_RESTARTED', 'a'), event(15, 'STEP_START', 'a'), event(16, 'STEP_FAILURE', 'a'), event(16, 'STEP_SKIPPED', 'b'),
    ];
    const chart = gantt(events, [op('a'), op('b', ['a']), op('c', ['b'])], { end: 17_000, now: 99_000 });
    expect(chart?.from).toBe(10_000);
    expect(chart?.to).toBe(17_000);
    const [a, b, c] = chart?.rows ?? [];
    expect(a?.segments.map(({ kind, from, to, attempt }) => [kind, from, to, attempt])).toEqual([
      ['failed', 11_000, 13_000, 1], ['retry-wait', 13_000, 15_000, 2], ['failed', 15_000, 16_000, 2],
    ]);
    expect(a?.state).toBe('failed');
    expect(a && total(a)).toBe(5000);
    expect([b?.state, b?.segments]).toEqual(['skipped', []]);
    expect([c?.state, c?.needs]).toEqual(['waiting', ['b']]);
  });

  it('lets a running step end at now', () => {
    const chart = gantt([event(10, 'RUN_START'), event(11, 'STEP_START', 'a')], [], { end: null, now: 14_000 });
    expect(chart?.rows[0]?.segments).toEqual([{ kind: 'running', from: 11_000, to: 14_000, attempt: 1 }]);
  });

  it('counts a step that its run left behind as failed', () => {
    const chart = gantt([event(10, 'RUN_START'), event(11, 'STEP_START', 'a')], [op('a')], { end: 12_000, now: 99_000 });
    expect(chart?.rows[0]?.state).toBe('failed');
  });
});

it('labels a short and a long axis', () => {
  expect(ticks(1000).map(tickLabel)).toEqual(['0', '200 ms', '400 ms', '600 ms', '800 ms', '1 s']);
  expect(ticks(751_000).map(tickLabel)).toEqual(['0', '2 m', '4 m', '6 m', '8 m', '10 m', '12 m']);
});
