// What a run that is launched now would meet, from the limits and the queue as they are.

import type { Limit, Pause, QueueEntry } from '../../api/queueTypes';
import type { Daemon, JobSummary } from '../../api/types';
import type { GlyphName, Tone } from '../../lib/status';
import { PRIORITY_TAG } from '../../lib/tags';
import { spellKey, spellTag } from '../../lib/tagText';
import { count, subjectName } from '../../lib/words';

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
  pauses: Pause[];
}

/** What limits and pauses see of a run before it is asked for. */
export type Planned = Pick<JobSummary, 'name' | 'location' | 'pools'>;

const AT_ONCE: Outlook = {
  glyph: 'play', tone: 'ok', headline: 'Starts at once', consequence: '', limit: null, ahead: [], behind: [],
};

export function priorityOf(tags: Record<string, string>): number {
  const value = Number(tags[PRIORITY_TAG] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

export function outlook(job: Planned, tags: Record<string, string>, { limits, queue, daemons, pauses }: Yard): Outlook {
  const daemon = daemons.find((each) => each.type === 'QUEUED_RUN_COORDINATOR');
  if (daemon?.state === 'off') return { ...AT_ONCE, headline: 'Starts at once: this instance launches without a queue' };
  const pause = pauses.find((each) => isPaused(each, job, tags));
  const full = blocking(job, tags, limits);
  if (daemon?.state === 'not_running') {
    const headline = 'Waits until a run queue daemon runs';
    return { ...AT_ONCE, glyph: 'down', tone: 'fail', headline, consequence: 'waits for a daemon' };
  }
  if (pause) {
    const subject = pause.scope === 'queue' ? 'the queue' : subjectName(pause.subject);
    const headline = `Waits: ${subject} is ${pause.drain ? 'drained' : 'paused'} by ${pause.by}`;
    return { ...AT_ONCE, glyph: 'held', tone: 'hold', headline, consequence: `waits: ${subject} is paused` };
  }
  return full ? waiting(full, tags, queue) : AT_ONCE;
}

function isPaused(pause: Pause, job: Planned, tags: Record<string, string>): boolean {
  if (pause.scope === 'queue') return true;
  if (pause.scope === 'pool') return job.pools.includes(pause.name);
  if (pause.scope === 'location') return job.location === pause.name;
  return { ...tags, 'runyard/job': job.name, 'runyard/location': job.location }[pause.name] === pause.value;
}

/** A rule that is full comes before the run slots: the slots free up sooner. */
function blocking(job: Planned, tags: Record<string, string>, limits: Limit[]): Limit | undefined {
  const seen = Object.entries({ ...tags, job: job.name, location: job.location });
  const mine = new Set([...seen.flatMap(([key, value]) => [spellKey(key), spellTag(key, value)]), ...job.pools.map((pool) => `pool ${pool}`)]);
  const full = limits.filter((limit) => limit.full);
  const rule = (kinds: string[]) => full.find((limit) => kinds.includes(limit.kind) && mine.has(limit.rule));
  return rule(['tag_limit', 'rate_limit']) ?? rule(['pool']) ?? full.find((limit) => limit.kind === 'max_concurrent_runs');
}

function waiting(limit: Limit, tags: Record<string, string>, queue: QueueEntry[]): Outlook {
  const line = queue.filter((entry) => entry.reason.rule === limit.rule && !entry.reason.needs_action);
  const priority = priorityOf(tags);
  const ahead = line.filter((entry) => entry.priority >= priority);
  const name = limit.kind === 'max_concurrent_runs' ? 'the run slots' : limit.rule;
  return {
    glyph: 'blocked',
    tone: 'wait',
    // Where steps hold pools, a run begins with what needs none: only the server knows.
    headline: `${limit.kind === 'pool' ? 'May wait' : 'Waits'} behind ${name}, ${limit.used} of ${limit.limit}`,
    consequence: `${limit.kind === 'pool' ? 'may wait' : 'waits'} behind ${name}`,
    limit,
    ahead,
    behind: line.filter((entry) => entry.priority < priority),
  };
}

/** `First in that line`, `2 runs ahead in that line`. */
export function placeWords(found: Outlook): string {
  return found.ahead.length ? `${count(found.ahead.length, 'run')} ahead in that line` : 'First in that line';
}
