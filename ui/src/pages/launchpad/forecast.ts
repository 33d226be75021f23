// What a run that is launched now would meet, from the limits and the queue as they are.

import type { Limit, QueueEntry } from '../../api/queueTypes';
import type { Daemon } from '../../api/types';
import type { GlyphName, Tone } from '../../lib/status';
import { PRIORITY_TAG } from '../../lib/tags';
import { count } from '../../lib/words';

export interface Outlook {
  glyph: GlyphName;
  tone: Tone;
  headline: string;
  /** Follows "Launch, " on the button; empty when it starts at once. */
  consequence: string;
  /** The limit that it would wait for. */
  limit: Limit | null;
  /** Runs in that line that go first. */
  ahead: QueueEntry[];
  behind: QueueEntry[];
}

interface Yard {
  limits: Limit[];
  queue: QueueEntry[];
  daemons: Daemon[];
}

const AT_ONCE: Outlook = {
  glyph: 'play', tone: 'ok', headline: 'Starts at once', consequence: '', limit: null, ahead: [], behind: [],
};

export function priorityOf(tags: Record<string, string>): number {
  const value = Number(tags[PRIORITY_TAG] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

export function outlook(tags: Record<string, string>, { limits, queue, daemons }: Yard): Outlook {
  const daemon = daemons.find((each) => each.type === 'QUEUED_RUN_COORDINATOR');
  if (daemon?.state === 'off') return { ...AT_ONCE, headline: 'Starts at once: this instance launches without a queue' };
  const full = blocking(tags, limits);
  if (daemon?.state === 'not_running') {
    const headline = 'Waits until a run queue daemon runs';
    return { ...AT_ONCE, glyph: 'down', tone: 'fail', headline, consequence: 'waits for a daemon' };
  }
  return full ? waiting(full, tags, queue) : AT_ONCE;
}

/** A tag rule that is full comes before the run slots: the slots free up sooner. */
function blocking(tags: Record<string, string>, limits: Limit[]): Limit | undefined {
  const mine = new Set(Object.entries(tags).flatMap(([key, value]) => [key, `${key}=${value}`]));
  const full = limits.filter((limit) => limit.full);
  return full.find((limit) => limit.kind === 'tag_limit' && mine.has(limit.rule)) ?? full.find((l) => l.kind === 'max_concurrent_runs');
}

function waiting(limit: Limit, tags: Record<string, string>, queue: QueueEntry[]): Outlook {
  const line = queue.filter((entry) => entry.reason.rule === limit.rule && !entry.reason.needs_action);
  const priority = priorityOf(tags);
  const ahead = line.filter((entry) => entry.priority >= priority);
  const name = limit.kind === 'max_concurrent_runs' ? 'the run slots' : limit.rule;
  return {
    glyph: 'blocked',
    tone: 'wait',
    headline: `Waits behind ${name}, ${limit.used} of ${limit.limit}`,
    consequence: `waits behind ${name}`,
    limit,
    ahead,
    behind: line.filter((entry) => entry.priority < priority),
  };
}

/** `First in that line`, `2 runs ahead in that line`. */
export function placeWords(found: Outlook): string {
  return found.ahead.length ? `${count(found.ahead.length, 'run')} ahead in that line` : 'First in that line';
}
