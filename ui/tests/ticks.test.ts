import { describe, expect, it } from 'vitest';
import type { Instigator, Tick } from '../src/api/types';
import { sorted } from '../src/pages/automation/items';
import { droppedWords, failureWords } from '../src/pages/automation/tickWords';

const NOW = new Date(2026, 10, 24, 9, 42).getTime();

function tick(more: Partial<Tick>): Tick {
  return {
    tick_id: 't',
    time: new Date(NOW).toISOString(),
    status: 'SUCCESS',
    run_ids: [],
    duplicate_run_keys: [],
    refused: [],
    skip_reason: null,
    error: null,
    failure_count: 0,
    failing_since: null,
    ended_at: null,
    ...more,
  };
}

const error = { error_class: 'ValueError', message: 'no such\nfile', stack: [], library_frames: 0, cause: null };

describe('ticks in words', () => {
  it('counts failures in a row from the second on, with their begin', () => {
    const failing_since = new Date(2026, 10, 24, 9, 30).toISOString();
    const failed = { status: 'FAILURE', error, failing_since } as const;
    expect(failureWords(tick({ ...failed, failure_count: 1 }), NOW)).toBe('ValueError: no such');
    expect(failureWords(tick({ ...failed, failure_count: 3 }), NOW)).toBe('failed 3 times in a row since 09:30: ValueError: no such');
    expect(failureWords(tick({ ...failed, failure_count: 3, failing_since: null }), NOW)).toBe('failed 3 times in a row: ValueError: no such');
  });

  it('says which run keys were dropped and what was refused', () => {
    expect(droppedWords(tick({}))).toBe('');
    const dropped = { duplicate_run_keys: ['a', 'b'], refused: ['Refused.'] };
    expect(droppedWords(tick(dropped))).toBe('dropped 2 run keys that had a run already: a and b; Refused.');
    expect(droppedWords(tick({ ...dropped, status: 'SKIPPED' }))).toBe('');
  });
});

it('puts what cannot run first', () => {
  const named = (name: string, more: Partial<Instigator>) => ({
    kind: 'schedules' as const,
    instigator: { location: 'l', name, status: 'STOPPED', declared_in_code: true, job_names: [], problem: null, last_tick: null, description: null, ...more } as Instigator,
  });
  const items = [named('on', { status: 'RUNNING' }), named('off', {}), named('wrong', { problem: 'Schedule: bad.' })];
  expect(sorted(items).map((item) => item.instigator.name)).toEqual(['wrong', 'on', 'off']);
});
