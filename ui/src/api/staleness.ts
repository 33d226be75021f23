import type { QueryClient, QueryKey } from '@tanstack/react-query';

/** What moved, as the event stream names it. */
export const TOPICS = ['runs', 'queue', 'daemons', 'locations', 'automation'] as const;
export type Topic = (typeof TOPICS)[number];

/** At most one round of reading per this many milliseconds, however much happens. */
const ROUND = 250;

/** Which keys a topic makes stale: a run that starts or ends moves the queue and its limits too. */
export const STALE_WITH: Record<Topic, QueryKey[]> = {
  runs: [['runs'], ['run'], ['queue']],
  queue: [['queue'], ['runs']],
  daemons: [['daemons']],
  locations: [['locations'], ['automation'], ['instance'], ['queue']],
  automation: [['automation']],
};

/** Gathers changes and makes queries stale in rounds. */
export class Staleness {
  private readonly pending = new Map<string, QueryKey>();
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
      // An answer under way may be older than the change: it is read again in the next round.
      if (this.client.isFetching({ queryKey }) > 0) continue;
      this.pending.delete(name);
      void this.client.invalidateQueries({ queryKey });
    }
    if (this.pending.size) this.timer = setTimeout(() => this.round(), ROUND);
  }
}
