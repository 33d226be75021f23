import type { Op } from '../../api/types';
import type { StepRow } from './types';

/**
 * The steps that made the run as long as it was, first to last: from the step that ended last back through whichever
 * of its needs ended last. Empty where nothing was waited for.
 */
export function criticalPath(rows: StepRow[], ops: Op[]): string[] {
  const ended = new Map(rows.flatMap((row) => (row.segments.length ? [[row.key, row.segments[row.segments.length - 1]?.to ?? 0]] : [])) as [string, number][]);
  const needs = new Map(ops.map((op) => [op.key, op.needs]));
  const latest = (keys: string[]) =>
    keys.reduce<string | undefined>((best, key) => (ended.has(key) && (best === undefined || (ended.get(key) ?? 0) > (ended.get(best) ?? 0)) ? key : best), undefined);
  const path: string[] = [];
  for (let key = latest([...ended.keys()]); key !== undefined && !path.includes(key); key = latest(needs.get(key) ?? [])) {
    path.unshift(key);
  }
  return path.length > 1 ? path : [];
}
