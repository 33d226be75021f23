// Other limits for a what-if, as the `concurrency:` section of an instance file says them.

import type { LimitInForce } from '../../../api/queueTypes';
import { ruleParts, spellKey, splitTag, type RuleName } from '../../../lib/tagText';

const EACH = { applyLimitPerUniqueValue: true };
const BUILT_IN: Record<string, string> = { 'runyard/job': 'job', 'runyard/location': 'location' };

export const idOf = ({ kind, name }: Pick<LimitInForce, 'kind' | 'name'>) => `${kind} ${name}`;

/** Where an alternative of the queue page leads: the rule of a reason as the limit that sets it. */
export function idOfRule(rule: string, limits: LimitInForce[]): string | null {
  const key = spellKey(splitTag(rule).key);
  const names =
    rule === 'max_concurrent_runs'
      ? ['runs ']
      : rule.startsWith('pool ')
        ? [rule]
        : [rule, `${key}=*`].flatMap((name) => [`tag ${name}`, `tag runyard/${name}`]);
  return names.find((name) => limits.some((limit) => idOf(limit) === name)) ?? null;
}

/** The section that puts `values`, by the ids of limits, in place of those in force; undefined when nothing differs. */
export function limitsSection(limits: LimitInForce[], values: ReadonlyMap<string, number>): Record<string, unknown> | undefined {
  const changed = limits.filter((limit) => values.has(idOf(limit)) && values.get(idOf(limit)) !== limit.limit);
  if (changed.length === 0) return undefined;
  const now = limits.flatMap((limit) => {
    const value = values.get(idOf(limit)) ?? limit.limit;
    return value === null ? [] : [{ ...limit, limit: value }];
  });
  return { runs: runsSection(now), pools: { limits: Object.fromEntries(now.filter(of('pool')).map(({ name, limit }) => [name, limit])) } };
}

const of = (kind: LimitInForce['kind']) => (limit: { kind: string }) => limit.kind === kind;

function runsSection(limits: { kind: string; name: string; limit: number }[]) {
  const section: Record<string, unknown> = {};
  for (const { limit } of limits.filter(of('runs'))) section['max_concurrent_runs'] = limit;
  const entries = limits.filter(of('tag')).map(({ name, limit }) => ({ ...ruleParts(name), limit }));
  if (entries.length) section['tag_concurrency_limits'] = entries.filter(({ key }) => !BUILT_IN[key]).map(tagLimit);
  for (const [key, word] of Object.entries(BUILT_IN)) {
    const own = entries.filter((entry) => entry.key === key);
    if (own.length) section[`${word}_limits`] = own.map(({ value, each, limit }) => (each ? { ...EACH, limit } : { [word]: value, limit }));
  }
  return section;
}

function tagLimit({ key, value, each, limit }: RuleName & { limit: number }) {
  if (each) return { key, value: EACH, limit };
  return value === null ? { key, limit } : { key, value, limit };
}
