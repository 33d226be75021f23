import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../src/api/types';
import { tickLabel, ticks } from '../src/lib/gantt/axis';
import { criticalPath } from '../src/lib/gantt/criticalPath';
import { gantt, planned, total } from '../src/lib/gantt/gantt';
import { layers } from '../src/lib/gantt/layers';
import type { StepRow } from '../src/lib/gantt/types';
import { barLabel } from '../src/pages/run/barLabel';
import { sentence, withoutTime } from '../src/pages/run/stepWords';

const event = (at: number, type: string, step_key: string | null = null, data: RunEvent['data'] = {}, attempt = 1): RunEvent => ({
  cursor: `0.${at}`, type, timestamp: new Date(at * 1000).toISOString(), attempt, step_key, level: 'INFO', message: '', data,
});
const op = (key: string, needs: string[] = []) => ({ key, op_name: key, needs, pool: null });
const error = { class_name: 'KeyError', message: 'precip_mm', stack: [], library_frames: 0, cause: null };
const shapes = (row: StepRow | undefined) => row?.segments.map(({ kind, from, to, attempt, name }) => [kind, from / 1000, to / 1000, attempt, name]);

describe('gantt', () => {
  it('is nothing before the run has started, but steps can be planned', () => {
    expect(gantt([event(1, 'RUN_ENQUEUED')], [op('a')], { end: null, now: 9000 })).toBeNull();
    expect(planned([op('a')]).rows[0]?.state).toBe('waiting');
  });

  it('shows attempts, the waiting between them and steps that never started', () => {
    const events = [
      event(10, 'RUN_START'), event(11, 'STEP_START', 'a'), event(13, 'STEP_UP_FOR_RETRY', 'a', { error, seconds_to_wait: 2 }),
      event(15, 'STEP_RESTARTED', 'a'), event(15, 'STEP_START', 'a'), event(16, 'STEP_FAILURE', 'a', { error }), event(16, 'STEP_SKIPPED', 'b'),
    ];
    const chart = gantt(events, [op('a'), op('b', ['a']), op('c', ['b'])], { end: 17_000, now: 99_000 });
    expect([chart?.from, chart?.to]).toEqual([10_000, 17_000]);
    const [a, b, c] = chart?.rows ?? [];
    expect(shapes(a)).toEqual([['failed', 11, 13, 1, 'KeyError'], ['retry-wait', 13, 15, 2, '2.0 s'], ['failed', 15, 16, 2, 'KeyError']]);
    expect(a?.state).toBe('failed');
    expect(a && total(a)).toBe(5000);
    expect([b?.state, b?.segments, b && withoutTime(b)]).toEqual(['skipped', [], 'not started: needs a']);
    expect([c?.state, c?.needs]).toEqual(['waiting', ['b']]);
  });

  it('tells start-up and waiting for a pool from work', () => {
    const events = [
      event(10, 'RUN_START'), event(11, 'ENGINE_EVENT', 'a', { waiting_for_pool: 'era5', waited: 1 }), event(14, 'STEP_WORKER_STARTING', 'a'),
      event(15, 'STEP_START', 'a'), event(19, 'STEP_SUCCESS', 'a'),
      event(19, 'STEP_WORKER_STARTING', 'b'), event(20, 'STEP_START', 'b'), event(21, 'STEP_UP_FOR_RETRY', 'b', { seconds_to_wait: 1 }),
      event(22, 'ENGINE_EVENT', 'b', { waiting_for_pool: 'era5' }), event(23, 'STEP_RESTARTED', 'b'), event(24, 'STEP_SUCCESS', 'b'),
    ];
    const [a, b] = gantt(events, [op('a'), op('b')], { end: 24_000, now: 0 })?.rows ?? [];
    expect(shapes(a)).toEqual([['pool-wait', 10, 14, 1, 'era5'], ['start-up', 14, 15, 1, undefined], ['work', 15, 19, 1, undefined]]);
    expect(shapes(b)?.map(([kind]) => kind)).toEqual(['start-up', 'failed', 'retry-wait', 'pool-wait', 'work']);
    expect(a?.segments[0] && sentence(a.segments[0])).toBe('Attempt 1 waited for a slot 4.0 s of pool era5');
  });

  it('names what a run took over, and does not for what it did itself before it was resumed', () => {
    const took = { reused_steps: { a: ['result'], b: [] }, parent_run_id: '9e02b4d7-1' };
    const events = [event(10, 'RUN_START'), event(11, 'STEP_START', 'b'), event(12, 'STEP_SUCCESS', 'b'), event(13, 'ENGINE_EVENT', null, took)];
    const [a, b, c] = gantt(events, [op('a'), op('b'), op('c', ['a', 'b', 'd']), op('d')], { end: null, now: 14_000 })?.rows ?? [];
    expect([a?.state, a && withoutTime(a)]).toEqual(['reused', 'taken over from 9e02b4d7']);
    expect(b?.state).toBe('succeeded');
    expect(c?.needs).toEqual(['d']);
  });

  it('ends what a lost worker was doing where the next attempt begins', () => {
    const events = [
      event(10, 'RUN_START'), event(11, 'STEP_START', 'a'), event(14, 'ENGINE_EVENT', null, { lost: true }),
      event(20, 'RUN_START', null, {}, 2), event(21, 'STEP_START', 'a', {}, 2), event(22, 'STEP_SUCCESS', 'a', {}, 2),
    ];
    const chart = gantt(events, [op('a')], { end: 23_000, now: 0 });
    expect(shapes(chart?.rows[0])).toEqual([['failed', 11, 14, 1, 'worker lost'], ['work', 21, 22, 2, undefined]]);
  });

  it('lets a running step end at now', () => {
    const chart = gantt([event(10, 'RUN_START'), event(11, 'STEP_START', 'a')], [], { end: null, now: 14_000 });
    expect(chart?.rows[0]?.segments).toEqual([{ kind: 'running', from: 11_000, to: 14_000, attempt: 1 }]);
  });

  it('counts a step that its run left behind as failed, or as canceled with its run', () => {
    const events = [event(10, 'RUN_START'), event(11, 'STEP_START', 'a')];
    expect(gantt(events, [op('a')], { end: 12_000, now: 99_000 })?.rows[0]?.state).toBe('failed');
    expect(gantt(events, [op('a')], { end: 12_000, now: 99_000, canceled: true })?.rows[0]?.state).toBe('canceled');
  });

  it('tells steps that were not chosen from those that were not reached', () => {
    const chart = gantt([event(10, 'RUN_START')], [op('a'), op('b')], { end: null, now: 11_000, selected: new Set(['b']) });
    expect(chart?.rows.map((row) => row.state)).toEqual(['left out', 'waiting']);
  });
});

describe('the critical path', () => {
  const row = (key: string, from: number, to: number): StepRow => ({ key, state: 'succeeded', needs: [], segments: [{ kind: 'work', from, to, attempt: 1 }] });

  it('goes back from the end through whatever was waited for longest', () => {
    const ops = [op('a'), op('b', ['a']), op('c', ['a']), op('d', ['b', 'c'])];
    expect(criticalPath([row('a', 0, 2), row('b', 2, 3), row('c', 2, 9), row('d', 9, 10)], ops)).toEqual(['a', 'c', 'd']);
  });

  it('is not drawn where nothing waited for anything', () => {
    expect(criticalPath([row('a', 0, 2)], [op('a')])).toEqual([]);
    expect(criticalPath([], [])).toEqual([]);
  });
});

it('puts steps in columns behind what they need, beside what they need', () => {
  const ops = [op('a'), op('b'), op('x', ['b']), op('y', ['a']), op('z', ['x', 'a'])];
  expect(layers(ops)).toEqual([['a', 'b'], ['y', 'x'], ['z']]);
  expect(layers([])).toEqual([]);
});

it('gives a bar the longest wording that it has room for', () => {
  const failed = { kind: 'failed', from: 0, to: 1, attempt: 2, name: 'KeyError' } as const;
  expect(barLabel(failed, 200, 2)).toBe('attempt 2, KeyError');
  expect(barLabel(failed, 80, 2)).toBe('2, KeyError');
  expect(barLabel(failed, 60, 2)).toBe('attempt 2');
  expect(barLabel(failed, 20, 2)).toBe('2');
  expect(barLabel(failed, 10, 2)).toBe('');
  expect(barLabel(failed, 200, 1)).toBe('KeyError');
  expect(barLabel({ kind: 'pool-wait', from: 0, to: 1, attempt: 1, name: 'era5' }, 200, 1)).toBe('pool era5');
});

it('labels a short and a long axis', () => {
  expect(ticks(1000).map(tickLabel)).toEqual(['0', '200 ms', '400 ms', '600 ms', '800 ms', '1 s']);
  expect(ticks(751_000).map(tickLabel)).toEqual(['0', '2 m', '4 m', '6 m', '8 m', '10 m', '12 m']);
});
