import { describe, expect, it } from 'vitest';
import { MOST_LINES, MOST_TEXT, NOTHING_READ, OutputFeed, withPage, type OutputLine, type OutputPage } from '../src/api/outputFeed';
import type { Run, RunEvent } from '../src/api/types';
import { fileSize } from '../src/lib/words';
import { levelsOf, matching, withStep } from '../src/pages/run/eventFilter';
import { retryChain, retryIsComing } from '../src/pages/run/retryChain';
import { stepsAfter } from '../src/pages/run/stepsAfter';
import { kindsOf, reexecutedWords, targets, terminatedWords } from '../src/pages/runs/bulkWords';

const line = (number: number, text = 'x'): OutputLine => ({ number, at: null, stream: 'out', step_key: 'a', text });
const page = (from: number, amount: number, text?: string): OutputPage => ({
  lines: Array.from({ length: amount }, (_, index) => line(from + index, text)), next: `c${from + amount - 1}`, size: 10, more: false, earlier: from > 1,
});

describe('the output that is kept', () => {
  it('lets the oldest lines go beyond so many, and counts them', () => {
    const all = withPage(withPage(NOTHING_READ, page(1, MOST_LINES)), page(MOST_LINES + 1, 5));
    expect([all.lines.length, all.lines[0]?.number, all.start, all.before]).toEqual([MOST_LINES, 6, 5, 'file']);
  });

  it('is bounded in text too', () => {
    const long = withPage(NOTHING_READ, page(1, 20, 'y'.repeat(MOST_TEXT / 10)));
    expect(long.lines.length).toBe(10);
    expect(long.start).toBe(10);
  });
});

class Stream extends EventTarget {
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    super();
  }
  close() {
    this.closed = true;
  }
  say(lines: OutputPage) {
    this.dispatchEvent(Object.assign(new Event('lines'), { data: JSON.stringify(lines) }));
  }
}

describe('the feed of a run', () => {
  const question = { runId: 'r', stream: 'both', stepKey: 'a' } as const;
  const started = async (first: OutputPage) => {
    const asked: string[] = [];
    const streams: Stream[] = [];
    const feed = new OutputFeed(
      question,
      (path) => {
        asked.push(path);
        return Promise.resolve(first);
      },
      (url) => {
        const stream = new Stream(url);
        streams.push(stream);
        return stream as unknown as EventSource;
      },
    );
    feed.resume();
    await Promise.resolve();
    return { feed, asked, streams };
  };

  it('reads the last lines, then what comes, until the end', async () => {
    const { feed, asked, streams } = await started(page(1, 2));
    expect(asked).toEqual(['/runs/r/output?stream=both&step_key=a&tail=2000']);
    expect(streams[0]?.url).toContain('/api/v1/runs/r/output/live?stream=both&step_key=a&after=c2');
    streams[0]?.say(page(3, 1));
    expect(feed.current().lines.map((each) => each.number)).toEqual([1, 2, 3]);
    streams[0]?.dispatchEvent(new Event('end'));
    expect([feed.current().state, streams[0]?.closed]).toEqual(['complete', true]);
    feed.resume();
    expect(streams.length).toBe(1);
  });

  it('lets go while it is out of sight and goes on where it was', async () => {
    const { feed, asked, streams } = await started(page(1, 1));
    streams[0]?.say(page(2, 1));
    feed.pause();
    expect(streams[0]?.closed).toBe(true);
    feed.resume();
    expect(streams[1]?.url).toContain('after=c2');
    expect(asked.length).toBe(1);
  });

  it('leaves out what is between when a run prints faster than it is read', async () => {
    const { feed, asked, streams } = await started(page(1, 2));
    for (let number = 3; number < 8; number += 1) streams[0]?.say({ ...page(number, 1), more: true });
    expect(streams[0]?.closed).toBe(true);
    await new Promise((done) => setTimeout(done));
    expect(asked.length).toBe(2);
    expect(streams.length).toBe(2);
    expect(feed.current().lines.length).toBe(2);
  });

  it('asks for earlier lines once, and keeps the place of those that are here', async () => {
    let from = 3001;
    const feed = new OutputFeed(question, () => Promise.resolve(page(from, 5001 - from)), () => new Stream('') as unknown as EventSource);
    feed.resume();
    await new Promise((done) => setTimeout(done));
    expect([feed.current().before, feed.current().start]).toEqual(['lines', -2000]);
    from = 1;
    feed.readEarlier();
    await new Promise((done) => setTimeout(done));
    expect([feed.current().before, feed.current().start, feed.current().lines.length]).toEqual(['nothing', -5000, 5000]);
  });

  it('says why it cannot read', async () => {
    const feed = new OutputFeed(question, () => Promise.reject(new Error('No run')), () => new Stream('') as unknown as EventSource);
    feed.resume();
    await new Promise((done) => setTimeout(done));
    expect(feed.current().problem).toBe('No run');
  });
});

describe('the filter of the log', () => {
  const ops = [{ key: 'a', op_name: 'a', needs: [], pool: null }, { key: 'b', op_name: 'b', needs: ['a'], pool: null }, { key: 'c', op_name: 'c', needs: ['b'], pool: null }];
  const events = ['a', 'b', 'c', null].map((step_key, index) => ({ step_key, level: index === 1 ? 'ERROR' : 'INFO', type: 'LOG', message: `m${index}` }) as RunEvent);
  const steps = (text: string) => matching(events, 'all', text, ops).map((event) => event.step_key);

  it('takes one step, with those after it, or words', () => {
    expect(steps('step:a')).toEqual(['a']);
    expect(steps('step:b+')).toEqual(['b', 'c']);
    expect(steps('step:run')).toEqual([null]);
    expect(steps('M2')).toEqual(['c']);
    expect(matching(events, 'error', '', ops).map((event) => event.step_key)).toEqual(['b']);
    expect(levelsOf(events)).toEqual({ warnings: 0, errors: 1 });
  });

  it('keeps the words when another step is chosen', () => {
    expect(withStep('step:a slow', 'b')).toBe('step:b slow');
    expect(withStep('step:b slow', null)).toBe('slow');
  });

  it('knows what comes after a step', () => {
    expect(stepsAfter(ops, new Set(['a']))).toEqual(['b', 'c']);
    expect(stepsAfter(ops, new Set())).toEqual([]);
  });
});

const run = (run_id: string, more: Partial<Run> = {}): Run =>
  ({ run_id, tags: {}, status: 'FAILURE', parent_run_id: null, root_run_id: null, launched_at: 'x', ...more }) as Run;

describe('the chain of retries', () => {
  it('goes from the first run over the parent to what retries this one', () => {
    const chain = retryChain(run('c', { root_run_id: 'a', parent_run_id: 'b' }), [run('e'), run('d')]);
    expect(chain.map((link) => link.runId)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(retryChain(run('a', { root_run_id: 'a' }), [])).toEqual([]);
  });

  it('names a retry that is not here yet, or is about to come', () => {
    expect(retryChain(run('a', { tags: { 'dagster/auto_retry_run_id': 'b' } }), []).map((link) => link.runId)).toEqual(['a', 'b']);
    const failed = run('a', { tags: { 'dagster/will_retry': 'true' } });
    expect(retryIsComing(failed, retryChain(failed, []))).toBe(true);
    expect(retryIsComing(run('a'), [])).toBe(false);
  });
});

describe('acts on many runs', () => {
  const runs = [run('a'), run('b', { status: 'SUCCESS' }), run('c', { status: 'STARTED' }), run('d', { status: 'QUEUED' }), run('e', { status: 'CANCELING' })];

  it('reach the runs that they can be done to', () => {
    const found = targets(runs);
    expect(found.failed.length).toBe(1);
    expect(found.ended.length).toBe(2);
    expect(found.unfinished.map((each) => each.run_id)).toEqual(['c', 'd']);
    expect(kindsOf(runs)).toBe('1 failed, 1 succeeded, 2 running, 1 waiting');
  });

  it('tell what came of them', () => {
    const refused = [{ run_id: '12345678-9', detail: 'its location is gone' }];
    expect(reexecutedWords({ runs: [{ run_id: 'n', parent_run_id: 'p' }], refused })).toBe(
      '1 run asked for again. 1 run refused: 12345678, its location is gone',
    );
    expect(terminatedWords({ canceled: 2, canceling: 1, ended: 0 })).toBe('2 runs canceled before starting and 1 run told to stop.');
    expect(terminatedWords({ canceled: 0, canceling: 0, ended: 0 })).toBe('Nothing was left to stop.');
  });
});

it('writes sizes of files', () => {
  expect([0, 812, 1500, 38_400, 1_200_000_000].map(fileSize)).toEqual(['0 B', '812 B', '1.5 KB', '38 KB', '1.2 GB']);
});
