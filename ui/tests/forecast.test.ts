import { describe, expect, it } from 'vitest';
import type { Limit, QueueEntry } from '../src/api/queueTypes';
import type { Daemon } from '../src/api/types';
import { outlook, placeWords } from '../src/pages/launchpad/forecast';

const limit = (rule: string, most: number, used: number): Limit => ({
  rule, kind: rule === 'max_concurrent_runs' ? rule : 'tag_limit', limit: most, used, full: used >= most, holders: ['7c41e09a'],
  holder_details: [], waiting: 0, waiting_is_all: true, longest_wait: null, next_free: null, source: 'file', changed_by: null, changed_at: null,
});
const nobody = { total: 0, at_least: false, by_priority: 0, by_limit: 0, since: null, examples: [], starving: false };
const entry = (run_id: string, priority: number, rule: string): QueueEntry => ({
  run_id, job_name: run_id, location: 'yard', tags: {}, overtaken: nobody, position: 1, forecast_position: 1, priority, queued_at: '', waiting_seconds: 0, estimated_start: null,
  reason: {
    kind: 'tag_limit', message: '', rule, limit: 1, used: 1, holders: [], holder_details: [], ahead: 0, ahead_is_most: false, until: null,
    pause: null, needs_action: false,
  },
});
const yard = { limits: [limit('max_concurrent_runs', 10, 3), limit('team=docs', 1, 1)], queue: [] as QueueEntry[], daemons: [] as Daemon[] };

describe('outlook', () => {
  it('starts at once where nothing is full for its tags', () => {
    expect(outlook({ team: 'ingest' }, yard).headline).toBe('Starts at once');
  });

  it('waits behind a full tag rule, among those of the same line by priority', () => {
    const queue = [entry('a', 5, 'team=docs'), entry('b', 0, 'team=docs'), entry('c', 9, 'team=archive')];
    const found = outlook({ team: 'docs', 'dagster/priority': '5' }, { ...yard, queue });
    expect(found.headline).toBe('Waits behind team=docs, 1 of 1');
    expect(found.consequence).toBe('waits behind team=docs');
    expect(found.ahead.map((each) => each.run_id)).toEqual(['a']);
    expect(found.behind.map((each) => each.run_id)).toEqual(['b']);
    expect(placeWords(found)).toBe('1 run ahead in that line');
  });

  it('counts a rule over all values of a key', () => {
    expect(outlook({ customer: 'x' }, { ...yard, limits: [limit('customer', 2, 2)] }).limit?.rule).toBe('customer');
  });

  it('says when nobody is there to launch it', () => {
    const daemons = [{ type: 'QUEUED_RUN_COORDINATOR', state: 'not_running' } as Daemon];
    expect(outlook({}, { ...yard, daemons }).consequence).toBe('waits for a daemon');
  });
});
