import { describe, expect, it } from 'vitest';
import type { LimitInForce, QueueEntry } from '../src/api/queueTypes';
import { filterOf, fits, fullWord, refusalOf } from '../src/pages/queue/queueFilter';
import { idOfRule, limitsSection } from '../src/pages/queue/whatif/limitsSection';
import { pathOf, ticksOf } from '../src/pages/queue/whatif/series';

describe('the filter of the queue', () => {
  it('reads words as the server takes them', () => {
    expect(filterOf([])).toBeNull();
    expect(filterOf(['job:report', 'team=docs', 'day=a=b', 'priority:-5', 'held:yes'])).toEqual({
      job: 'report', tags: { team: 'docs', day: 'a=b' }, priority: -5, held: true,
    });
    expect(fullWord('report')).toBe('job:report');
    expect(refusalOf('priority:high')).toContain('whole number');
    expect(filterOf(['t\\=1=x', '\\job:a=b'])).toEqual({ tags: { 't=1': 'x', 'job:a': 'b' } });
    expect(fullWord('t\\=1=x')).toBe('t\\=1=x');
    expect(refusalOf('t\\=1=')).toContain('A tag is key=value');
  });

  it('judges entries that are here as the server judges the others', () => {
    const entry = { job_name: 'report', location: 'yard', priority: 0, tags: { team: 'docs' }, reason: { kind: 'held' } } as unknown as QueueEntry;
    expect(fits(entry, { tags: { team: 'docs' }, held: true })).toBe(true);
    expect(fits(entry, { held: false })).toBe(false);
    expect(fits(entry, { priority: 1 })).toBe(false);
  });
});

const limits: LimitInForce[] = [
  { kind: 'runs', name: '', limit: 10, origin: 'file', note: null },
  { kind: 'tag', name: 'team=docs', limit: 1, origin: 'file', note: null },
  { kind: 'tag', name: 'customer=*', limit: 4, origin: 'file', note: null },
  { kind: 'tag', name: 'region', limit: 5, origin: 'file', note: null },
  { kind: 'tag', name: 'runyard/job=report', limit: 2, origin: 'file', note: null },
  { kind: 'pool', name: 'db', limit: 1, origin: 'set', note: null },
  { kind: 'pool', name: 'free', limit: null, origin: 'none', note: null },
];

describe('other limits', () => {
  it('are a section of the instance file, with what stays as it is', () => {
    expect(limitsSection(limits, new Map())).toBeUndefined();
    expect(limitsSection(limits, new Map([['pool db', 1]]))).toBeUndefined();
    expect(limitsSection(limits, new Map([['pool db', 3]]))).toEqual({
      runs: {
        max_concurrent_runs: 10,
        tag_concurrency_limits: [
          { key: 'team', value: 'docs', limit: 1 },
          { key: 'customer', value: { applyLimitPerUniqueValue: true }, limit: 4 },
          { key: 'region', limit: 5 },
        ],
        job_limits: [{ job: 'report', limit: 2 }],
      },
      pools: { limits: { db: 3 } },
    });
  });

  it('are found by the rule that a reason names', () => {
    expect(idOfRule('max_concurrent_runs', limits)).toBe('runs ');
    expect(idOfRule('customer=swiss', limits)).toBe('tag customer=*');
    expect(idOfRule('job=report', limits)).toBe('tag runyard/job=report');
    expect(idOfRule('pool db', limits)).toBe('pool db');
    expect(idOfRule('gone=1', limits)).toBeNull();
  });
});

describe('the picture of a what-if', () => {
  const frame = { left: 0, top: 0, width: 100, height: 10, peak: 2 };

  it('steps from bucket to bucket, closed along the ground for an area', () => {
    expect(pathOf([1, 2], frame, false)).toBe('M0 5V5H50V0H100');
    expect(pathOf([1, 2], frame, true)).toBe('M0 10V5H50V0H100V10Z');
  });

  it('marks few round moments', () => {
    const ticks = ticksOf(null, 86_400, { ...frame, width: 900 });
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect(ticks.every(({ at }) => at % 10_800_000 === 0)).toBe(true);
  });
});
