import { describe, expect, it } from 'vitest';
import type { Limit, Pause, QueueEntry } from '../src/api/queueTypes';
import type { Daemon } from '../src/api/types';
import { outlook, placeWords } from '../src/pages/launchpad/forecast';

const limit = (rule: string, most: number, used: number): Limit => ({
  rule, kind: rule === 'max_concurrent_runs' ? rule : 'tag_limit', limit: most, used, full: used >= most, holders: ['7c41e09a'],
  holder_details: [], waiting: 0, waiting_is_all: true, longest_wait: null, next_free: null, source: 'file', changed_by: null, changed_at: null, note: null,
});
const nobody = { total: 0, at_least: false, by_priority: 0, by_limit: 0, since: null, examples: [], starving: false };
const entry = (run_id: string, priority: number, rule: string): QueueEntry => ({
  run_id, job_name: run_id, location: 'yard', tags: {}, overtaken: nobody, position: 1, forecast_position: 1, priority, queued_at: '', waiting_seconds: 0, estimated_start: null,
  reason: {
    kind: 'tag_limit', message: '', rule, limit: 1, used: 1, holders: [], holder_details: [], ahead: 0, ahead_is_most: false, until: null,
    pause: null, needs_action: false,
  },
});
const yard = { limits: [limit('max_concurrent_runs', 10, 3), limit('team=docs', 1, 1)], queue: [] as QueueEntry[], daemons: [] as Daemon[], pauses: [] as Pause[] };
const job = { name: 'report', location: 'yard', pools: ['gpu'] };

describe('outlook', () => {
  it('starts at once where nothing is full for its tags', () => {
    expect(outlook(job, { team: 'ingest' }, yard).headline).toBe('Starts at once');
  });

  it('waits behind a full tag rule, among those of the same line by priority', () => {
    const queue = [entry('a', 5, 'team=docs'), entry('b', 0, 'team=docs'), entry('c', 9, 'team=archive')];
    const found = outlook(job, { team: 'docs', 'dagster/priority': '5' }, { ...yard, queue });
    expect(found.headline).toBe('Waits behind team=docs, 1 of 1');
    expect(found.consequence).toBe('waits behind team=docs');
    expect(found.ahead.map((each) => each.run_id)).toEqual(['a']);
    expect(found.behind.map((each) => each.run_id)).toEqual(['b']);
    expect(placeWords(found)).toBe('1 run ahead in that line');
  });

  it('counts a rule over all values of a key', () => {
    expect(outlook(job, { customer: 'x' }, { ...yard, limits: [limit('customer', 2, 2)] }).limit?.rule).toBe('customer');
  });

  it('counts a pool of the job, without promising that it waits', () => {
    const found = outlook(job, {}, { ...yard, limits: [{ ...limit('pool gpu', 1, 1), kind: 'pool' }] });
    expect(found.headline).toBe('May wait behind pool gpu, 1 of 1');
  });

  it('says what is paused', () => {
    const pause = { scope: 'tag', name: 'runyard/job', value: 'report', subject: 'runyard/job=report', by: 'ops', drain: false } as Pause;
    expect(outlook(job, {}, { ...yard, pauses: [pause] }).headline).toBe('Waits: job=report is paused by ops');
    expect(outlook({ ...job, name: 'other' }, {}, { ...yard, pauses: [pause] }).headline).toBe('Starts at once');
  });

  it('says when nobody is there to launch it', () => {
    const daemons = [{ type: 'QUEUED_RUN_COORDINATOR', state: 'not_running' } as Daemon];
    expect(outlook(job, {}, { ...yard, daemons }).consequence).toBe('waits for a daemon');
  });
});
