// What a run printed, as the server gives it: the last lines at once, then more as they are written.

import { get, messageOf } from './client';

export type OutputStream = 'both' | 'out' | 'err';

export interface OutputLine {
  /** Counts the lines of its step from 1; null where it is not known. */
  number: number | null;
  at: string | null;
  stream: 'out' | 'err';
  step_key: string | null;
  text: string;
}

export interface OutputPage {
  lines: OutputLine[];
  next: string;
  /** Bytes of all files that were read. */
  size: number;
  more: boolean;
  /** Whether there are lines before these; of the last lines only. */
  earlier?: boolean;
}

export interface OutputQuestion {
  runId: string;
  stream: OutputStream;
  stepKey: string | null;
}

export interface Output {
  lines: OutputLine[];
  /** A number of the first line that it keeps, whatever is read before it or let go. */
  start: number;
  /** What is before the first line: nothing, lines that may be asked for, or lines that only the file has. */
  before: 'nothing' | 'lines' | 'file';
  size: number;
  state: 'reading' | 'live' | 'complete' | 'paused';
  problem: string | null;
}

/** Lines that are asked for at first, and that are kept at most: older ones are in the file. */
export const FIRST_LINES = 2000;
export const MOST_LINES = 20_000;
/** Characters that are kept at most, however long the lines are. */
export const MOST_TEXT = 8_000_000;

const RECONNECT_AFTER = 2000;
/** Pages in a row with more behind them: the run prints faster than it is read, and its last lines are what counts. */
const TOO_FAR_BEHIND = 5;

export const NOTHING_READ: Output = { lines: [], start: 0, before: 'nothing', size: 0, state: 'reading', problem: null };

export function withPage(before: Output, page: OutputPage): Output {
  const all = page.lines.length ? [...before.lines, ...page.lines] : before.lines;
  const lines = lastOf(all);
  const gone = all.length - lines.length;
  return { ...before, lines, start: before.start + gone, before: gone ? 'file' : before.before, size: page.size, problem: null };
}

function lastOf(lines: OutputLine[]): OutputLine[] {
  const first = Math.max(0, lines.length - MOST_LINES);
  let text = 0;
  for (let index = lines.length - 1; index >= first; index -= 1) {
    text += lines[index]?.text.length ?? 0;
    if (text > MOST_TEXT) return lines.slice(index + 1);
  }
  return first ? lines.slice(first) : lines;
}

export function outputPath({ runId, stream, stepKey }: OutputQuestion, part = '', more: Record<string, string> = {}): string {
  const search = new URLSearchParams({ stream, ...(stepKey !== null && { step_key: stepKey }), ...more });
  return `/runs/${encodeURIComponent(runId)}/output${part}?${search}`;
}

type Source = Pick<EventSource, 'addEventListener' | 'close' | 'onerror'>;

/** Reads one stream of a run for as long as somebody watches and the page is in sight. */
export class OutputFeed {
  output = NOTHING_READ;
  private next: string | null = null;
  private behind = 0;
  private source: Source | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private reading: AbortController | null = null;
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly question: OutputQuestion,
    private readonly read: (path: string, signal: AbortSignal) => Promise<OutputPage> = get,
    private readonly open: (url: string) => Source = (url) => new EventSource(url),
  ) {}

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly current = (): Output => this.output;

  /** Goes on where it was paused; nothing that was read is read again. */
  resume(): void {
    if (this.output.state === 'complete' || this.source || this.reading) return;
    if (this.next === null) void this.begin(FIRST_LINES);
    else this.follow();
  }

  pause(): void {
    clearTimeout(this.retry);
    this.reading?.abort();
    this.reading = null;
    this.source?.close();
    this.source = null;
    if (this.output.state !== 'complete') this.put({ ...this.output, state: 'paused' });
  }

  /** Begins again with as many of the last lines as are kept at most. */
  readEarlier(): void {
    this.pause();
    void this.begin(MOST_LINES);
  }

  private async begin(tail: number): Promise<void> {
    const reading = new AbortController();
    this.reading = reading;
    try {
      const page = await this.read(outputPath(this.question, '', { tail: String(tail) }), reading.signal);
      if (reading.signal.aborted) return;
      this.next = page.next;
      this.put(withPage(this.beginning(page, tail), page));
      this.reading = null;
      this.follow();
    } catch (error) {
      if (reading.signal.aborted) return;
      this.reading = null;
      this.put({ ...this.output, problem: messageOf(error) });
    }
  }

  private beginning({ lines, earlier }: OutputPage, tail: number): Output {
    const { start, lines: old } = this.output;
    const before = !earlier ? 'nothing' : tail < MOST_LINES ? 'lines' : 'file';
    // Both end with the newest line: what was read before keeps its place.
    return { ...NOTHING_READ, start: start + old.length - lines.length, before };
  }

  private follow(): void {
    const after: Record<string, string> = this.next === null ? {} : { after: this.next };
    const source = this.open(`/api/v1${outputPath(this.question, '/live', after)}`);
    this.source = source;
    this.put({ ...this.output, state: 'live' });
    source.addEventListener('lines', (event) => this.take((event as MessageEvent<string>).data));
    source.addEventListener('end', () => {
      this.stop();
      this.put({ ...this.output, state: 'complete' });
    });
    // The browser would ask for the same place again: this goes on behind what has come since.
    source.onerror = () => {
      this.stop();
      this.retry = setTimeout(() => this.follow(), RECONNECT_AFTER);
    };
  }

  private take(data: string): void {
    const page = JSON.parse(data) as OutputPage;
    this.next = page.next;
    this.put(withPage(this.output, page));
    this.behind = page.more ? this.behind + 1 : 0;
    if (this.behind >= TOO_FAR_BEHIND) this.catchUp();
  }

  private catchUp(): void {
    this.stop();
    this.behind = 0;
    void this.begin(FIRST_LINES);
  }

  private stop(): void {
    this.source?.close();
    this.source = null;
  }

  private put(output: Output): void {
    this.output = output;
    this.watchers.forEach((watcher) => watcher());
  }
}
