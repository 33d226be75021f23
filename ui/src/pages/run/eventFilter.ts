import type { RunEvent } from '../../api/types';

export type LevelFilter = 'all' | 'info' | 'warning' | 'error';

const RANK: Record<string, number> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 3 };
const LEAST: Record<LevelFilter, number> = { all: 0, info: 1, warning: 2, error: 3 };

const rank = (event: RunEvent) => RANK[event.level] ?? 1;

/** Events of at least a level whose step, type or message has the words. */
export function matching(events: RunEvent[], level: LevelFilter, text: string): RunEvent[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (level === 'all' && words.length === 0) return events;
  return events.filter((event) => {
    if (rank(event) < LEAST[level]) return false;
    const all = `${event.step_key ?? 'run'} ${event.type} ${event.message}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

export function levelsOf(events: RunEvent[]): { warnings: number; errors: number } {
  let [warnings, errors] = [0, 0];
  for (const event of events) {
    if (rank(event) === 2) warnings += 1;
    if (rank(event) === 3) errors += 1;
  }
  return { warnings, errors };
}
