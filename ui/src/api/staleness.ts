import type { QueryClient, QueryKey } from '@tanstack/react-query';

/** What moved, as the event stream names it. */
export const TOPICS = ['runs', 'queue', 'daemons', 'locations', 'automation', 'instance'] as const;
export type Topic = (typeof TOPICS)[number];

/** At most one round of reading per this many milliseconds, however much happens. */
const ROUND = 250;
/** What was read rests for this many times as long as reading it took: slow answers are asked for less often. */
const REST = 4;
/** One slow answer holds the page back no longer than this many milliseconds: the machine may have been busy. */
const SHORT_REST = 1000;
/** Each further slow answer in a row doubles that, up to this: the server is asked for more than it can give. */
const LONGEST_REST = 30_000;

/** Which keys a topic makes stale: a run that starts or ends moves the queue and its limits too. */
export const STALE_WITH: Record<Topic, QueryKey[]> = {
  runs: [['runs'], ['run'], ['queue']],
  queue: [['queue'], ['runs']],
  daemons: [['daemons']],
  locations: [['locations'], ['automation'], ['instance'], ['queue']],
  automation: [['automation']],
  // Settings decide which daemons are on and which limits there are.
  instance: [['instance'], ['daemons'], ['queue']],
};

/** Gathers changes and makes queries stale in rounds, at a pace that the answers' cost sets. */
export class Staleness {
  private readonly pending = new Map<string, QueryKey>();
  private readonly restsUntil = new Map<string, number>();
  private readonly slowInARow = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: QueryClient) {}

  note(topic: Topic): void {
    for (const key of STALE_WITH[topic]) this.pending.set(JSON.stringify(key), key);
    this.timer ??= setTimeout(() => this.round(), ROUND);
  }

  everything(): void {
    void this.client.invalidateQueries();
  }

  private round(): void {
    this.timer = undefined;
    for (const [name, queryKey] of [...this.pending]) {
      // An answer under way may be older than the change: it is read again in a later round.
      if (this.client.isFetching({ queryKey }) > 0 || this.rests(name)) continue;
      this.pending.delete(name);
      void this.readAgain(name, queryKey);
    }
    if (this.pending.size) this.timer = setTimeout(() => this.round(), ROUND);
  }

  private rests(name: string): boolean {
    return performance.now() < (this.restsUntil.get(name) ?? 0);
  }

  private async readAgain(name: string, queryKey: QueryKey): Promise<void> {
    const began = performance.now();
    await this.client.invalidateQueries({ queryKey });
    const ended = performance.now();
    this.restsUntil.set(name, ended + this.restAfter(name, REST * (ended - began)));
  }

  private restAfter(name: string, deserved: number): number {
    const slowBefore = this.slowInARow.get(name) ?? 0;
    this.slowInARow.set(name, deserved > SHORT_REST ? slowBefore + 1 : 0);
    return Math.min(deserved, SHORT_REST * 2 ** slowBefore, LONGEST_REST);
  }
}
