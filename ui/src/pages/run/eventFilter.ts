import type { Op, RunEvent } from '../../api/types';
import { stepsAfter } from './stepsAfter';

export type LevelFilter = 'all' | 'info' | 'warning' | 'error';

const RANK: Record<string, number> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 3 };
const LEAST: Record<LevelFilter, number> = { all: 0, info: 1, warning: 2, error: 3 };
const STEP = 'step:';
/** What events of no step are called. */
const OF_THE_RUN = 'run';

const rank = (event: RunEvent) => RANK[event.level] ?? 1;

/**
 * Events of at least a level that have the words in their step, type or message. `step:key` asks for one step's,
 * `step:key+` also for those of the steps after it.
 */
export function matching(events: RunEvent[], level: LevelFilter, text: string, ops: Op[]): RunEvent[] {
  const all = text.split(/\s+/).filter(Boolean);
  if (level === 'all' && all.length === 0) return events;
  const steps = stepsOf(all.filter((word) => word.startsWith(STEP)), ops);
  const words = all.filter((word) => !word.startsWith(STEP)).map((word) => word.toLowerCase());
  return events.filter((event) => {
    const step = event.step_key ?? OF_THE_RUN;
    if (rank(event) < LEAST[level] || (steps && !steps.has(step))) return false;
    const told = `${step} ${event.type} ${event.message}`.toLowerCase();
    return words.every((word) => told.includes(word));
  });
}

function stepsOf(words: string[], ops: Op[]): ReadonlySet<string> | null {
  if (words.length === 0) return null;
  const named = words.map((word) => word.slice(STEP.length));
  return new Set(named.flatMap((name) => (name.endsWith('+') ? withAfter(name.slice(0, -1), ops) : [name])));
}

const withAfter = (key: string, ops: Op[]) => [key, ...stepsAfter(ops, new Set([key]))];

export const stepWord = (step: string) => `${STEP}${step}`;

/** The filter with another step asked for; null: of every step. */
export function withStep(text: string, step: string | null): string {
  const others = text.split(/\s+/).filter((word) => word && !word.startsWith(STEP));
  return [...(step === null ? [] : [stepWord(step)]), ...others].join(' ');
}

export function levelsOf(events: RunEvent[]): { warnings: number; errors: number } {
  let [warnings, errors] = [0, 0];
  for (const event of events) {
    if (rank(event) === 2) warnings += 1;
    if (rank(event) === 3) errors += 1;
  }
  return { warnings, errors };
}
