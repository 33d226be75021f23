import type { Op } from '../../api/types';

/** Steps that need one of these, directly or through others, without these themselves. */
export function stepsAfter(ops: Op[], keys: ReadonlySet<string>): string[] {
  const reached = new Set(keys);
  let before = -1;
  while (reached.size > before && keys.size) {
    before = reached.size;
    for (const op of ops) if (op.needs.some((need) => reached.has(need))) reached.add(op.key);
  }
  return [...reached].filter((key) => !keys.has(key));
}
