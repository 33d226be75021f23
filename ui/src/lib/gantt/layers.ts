import type { Op } from '../../api/types';

/**
 * Steps in columns: each behind all that it needs, and as far up as what it needs stands.
 */
export function layers(ops: Op[]): string[][] {
  const columns = new Map<string, number>();
  const needs = new Map(ops.map((op) => [op.key, op.needs.filter((need) => need !== op.key)]));
  const columnOf = (key: string): number => {
    const known = columns.get(key);
    if (known !== undefined) return known;
    const behind = (needs.get(key) ?? []).filter((need) => needs.has(need)).map(columnOf);
    const column = behind.length ? 1 + Math.max(...behind) : 0;
    columns.set(key, column);
    return column;
  };
  const found: string[][] = [];
  for (const op of ops) (found[columnOf(op.key)] ??= []).push(op.key);
  return ordered(found, needs);
}

function ordered(found: string[][], needs: Map<string, string[]>): string[][] {
  const places = new Map<string, number>();
  return found.map((column) => {
    const wanted = new Map(column.map((key) => [key, mean((needs.get(key) ?? []).flatMap((need) => places.get(need) ?? []))]));
    const sorted = [...column].sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    sorted.forEach((key, place) => places.set(key, place));
    return sorted;
  });
}

const mean = (values: number[]) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0);
