// The tags dialog's state: what the definition says, what this run says instead.

import { PRIORITY_TAG } from '../../lib/tags';

export interface TagRow {
  key: string;
  /** What the definition says; null when it says nothing. */
  defined: string | null;
  /** What this run says; null: as defined. */
  own: string | null;
}

/** The priority first, then the definition's tags, then this run's own. */
export function tagRows(defined: Record<string, string>, overrides: Record<string, string>): TagRow[] {
  const keys = new Set([PRIORITY_TAG, ...Object.keys(defined), ...Object.keys(overrides)]);
  return [...keys].map((key) => ({ key, defined: defined[key] ?? null, own: overrides[key] ?? null }));
}

/** How many tags differ between two sets of overrides. */
export function changes(before: Record<string, string>, after: Record<string, string>): number {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]).length;
}

/** Overrides with one tag set, or back to what is defined. */
export function withTag(overrides: Record<string, string>, key: string, value: string | null): Record<string, string> {
  const rest = Object.fromEntries(Object.entries(overrides).filter(([name]) => name !== key));
  return value === null ? rest : { ...rest, [key]: value };
}
