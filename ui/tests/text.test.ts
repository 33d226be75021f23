import { describe, expect, it } from 'vitest';
import { nextAfter } from '../src/api/client';
import { cronWords } from '../src/lib/cron';
import { parseFrames, traceParts } from '../src/lib/frames';
import { clock, distance, duration, relative } from '../src/lib/time';
import { chipsOf, parseChip, requestOf, searchOf, searchTarget } from '../src/pages/runs/filters';

describe('times', () => {
  it('writes durations as people read them', () => {
    const told = [0, 400, 42_000, 751_000, 4_320_000, 507_600_000].map(duration);
    expect(told).toEqual(['0s', '0.4 s', '42s', '12m 31s', '1h 12m', '5d 21h']);
  });

  it('writes distances and directions', () => {
    expect([22_000, 660_000, 8_280_000].map(distance)).toEqual(['22 s', '11 m', '2 h 18 m']);
    expect(relative(5000, 65_000)).toBe('1 m ago');
    expect(relative(65_000, 5000)).toBe('in 1 m');
  });

  it('leaves the day out today only', () => {
    const now = new Date(2026, 10, 24, 9, 42).getTime();
    expect(clock(now - 60_000, now)).toBe('09:41:00');
    expect(clock(now + 86_400_000, now)).toBe('Wed 09:42');
    expect(clock(now - 12 * 86_400_000, now)).toBe('12 Nov');
  });
});

it('puts common cron expressions in words and leaves the others', () => {
  const told = ['*/10 * * * *', '5 * * * *', '0 9 * * *', '0 7 * * 1', '* * * * *', '*/7 * * * *', '0 9 1 * *', '@daily'].map(cronWords);
  expect(told).toEqual(['every 10 min', 'at :05', '09:00 daily', 'Mon 07:00', 'every minute', '*/7 * * * *', '0 9 1 * *', '@daily']);
});

it('reads the user frames of a traceback', () => {
  const stack = ['  File "/srv/a/b.py", line 3, in f\n    x = g(\n        ^^\n', '  File "/srv/a/c.py", line 9, in g\n    raise KeyError(1)\n'];
  expect(parseFrames(stack)).toEqual([
    { file: '/srv/a/b.py', line: 3, function: 'f', code: 'x = g(' },
    { file: '/srv/a/c.py', line: 9, function: 'g', code: 'raise KeyError(1)' },
  ]);
});

it('puts a traceback together of own frames, folded ones and remarks', () => {
  const [f, g] = ['  File "/srv/a/b.py", line 3, in f\n    g()', '  File "/srv/a/c.py", line 9, in g\n    raise KeyError(1)'];
  const error = { error_class: 'KeyError', message: '1', stack: [f!, '  [940 more frames]', g!], library_frames: 3, cause: null };
  const folded = [{ before: 0, frames: ['a', 'b'] }, { before: 3, frames: ['c'] }];
  expect(traceParts({ ...error, folded })).toEqual([
    { library: ['a', 'b'] }, { own: f }, { remark: '[940 more frames]' }, { own: g }, { library: ['c'] },
  ]);
  // As it was stored before frames of libraries were kept.
  expect(traceParts({ ...error, stack: [f!] })).toEqual([{ own: f }, { remark: '3 library frames hidden' }]);
});

describe('filters', () => {
  it('become the address and the request', () => {
    const chips = ['status:running', 'job:report', 'team=docs'].map((word) => parseChip(word)).filter((chip) => chip !== null);
    expect(chipsOf(searchOf(chips))).toEqual(chips);
    expect(requestOf(chips)).toBe('status=STARTING&status=STARTED&status=CANCELING&job=report&tag=team%3Ddocs');
  });

  it('refuse a status that does not exist', () => {
    expect(parseChip('status:fialed')).toBeNull();
  });

  it('lead from the search field to a run or to a filter', () => {
    expect(searchTarget('7c41e09a')).toBe('/runs/7c41e09a');
    expect(searchTarget('daily_report team=docs')).toBe('/runs?job=daily_report&tag=team%3Ddocs');
    expect(searchTarget('  ')).toBeNull();
  });
});

it('finds the next page in a Link header', () => {
  expect(nextAfter('</api/v1/runs?limit=2&after=abc>; rel="next"')).toBe('abc');
  expect(nextAfter(null)).toBeNull();
});
