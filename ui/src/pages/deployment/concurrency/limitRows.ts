// The rows of the Concurrency page: what can be set, joined with its use.

import type { Limit, LimitInForce, SettableKind } from '../../../api/queueTypes';
import type { JobSummary } from '../../../api/types';
import { ruleParts, spellKey, splitTag } from '../../../lib/tagText';

export interface LimitRow {
  id: string;
  title: string;
  counts: string;
  limit: number | null;
  /** Null: people cannot set it here. */
  settable: LimitInForce | null;
  /** Why it matches nothing, as far as the server knows. */
  note: string | null;
  /** The limit as it is met; of a rule for each value, that of the value most used. Null: nothing meets it. */
  use: Limit | null;
}

export interface Section {
  title: string;
  about: string;
  rows: LimitRow[];
}

const BUILT_IN = /^runyard\/(?=(job|location)$)/;
const OTHERS: { kind: string; title: string; about: string }[] = [
  { kind: 'rate_limit', title: 'Launch rates', about: 'How many runs may start within a time' },
  { kind: 'overlap', title: 'One at a time', about: 'Jobs whose runs may not overlap' },
  { kind: 'launcher_capacity', title: 'Launchers', about: 'How many launches a location takes at once' },
];

export function sections(inForce: LimitInForce[], uses: Limit[], jobs: JobSummary[]): Section[] {
  const of = (kind: SettableKind) => inForce.filter((limit) => limit.kind === kind).map((limit) => settableRow(limit, uses, jobs));
  const found: Section[] = [
    { title: 'Run slots', about: 'How many runs may be in progress at once', rows: of('runs') },
    { title: 'Run tags', about: 'How many runs with a tag, of a job or of a location may be in progress', rows: of('tag') },
    { title: 'Pools', about: 'How many steps may use a shared thing at once', rows: of('pool') },
    ...OTHERS.map(({ kind, title, about }) => ({ title, about, rows: uses.filter((use) => use.kind === kind).map(otherRow) })),
  ];
  return found.filter((section) => section.rows.length > 0);
}

function settableRow(settable: LimitInForce, uses: Limit[], jobs: JobSummary[]): LimitRow {
  const { kind, name, limit } = settable;
  const use = useOf(settable, uses);
  return { id: `${kind} ${name}`, title: titleOf(settable), counts: countsOf(settable, use, jobs), limit, settable, use, note: settable.note };
}

function otherRow(use: Limit): LimitRow {
  return { id: `${use.kind} ${use.rule}`, title: use.rule, counts: '', limit: use.limit, settable: null, use, note: use.note };
}

export function titleOf({ kind, name }: Pick<LimitInForce, 'kind' | 'name'>): string {
  if (kind === 'runs') return 'All runs';
  if (kind === 'pool') return name;
  const { key, value } = ruleParts(name);
  const shown = BUILT_IN.test(key) ? key.replace(BUILT_IN, '') : spellKey(key);
  return value === null ? shown : `${shown}=${value}`;
}

function useOf({ kind, name }: LimitInForce, uses: Limit[]): Limit | null {
  if (kind === 'runs') return uses.find((use) => use.kind === 'max_concurrent_runs') ?? null;
  if (kind === 'pool') return uses.find((use) => use.kind === 'pool' && use.rule === `pool ${name}`) ?? null;
  const title = titleOf({ kind, name });
  const tags = uses.filter((use) => use.kind === 'tag_limit');
  if (!ruleParts(name).each) return tags.find((use) => use.rule === title) ?? null;
  const values = tags.filter((use) => use.rule.startsWith(`${title}=`));
  return values.sort((a, b) => b.used + b.waiting - a.used - a.waiting)[0] ?? null;
}

function countsOf({ kind, name }: LimitInForce, use: Limit | null, jobs: JobSummary[]): string {
  if (kind === 'runs') return 'every run counts';
  if (kind === 'pool') return opsWords(opsOf(name, jobs).map((op) => op.name));
  const { value, each } = ruleParts(name);
  if (each) return use ? `each value apart, most used: ${splitTag(use.rule).value}` : 'each value apart';
  return value === null ? 'all values together' : 'this value';
}

export interface PoolOp {
  name: string;
  jobs: string[];
}

/** Which ops use a pool, and in which jobs. */
export function opsOf(pool: string, jobs: JobSummary[]): PoolOp[] {
  const found = new Map<string, Set<string>>();
  for (const job of jobs) {
    for (const op of job.ops) {
      if (op.pool === pool) found.set(op.op_name, (found.get(op.op_name) ?? new Set()).add(job.name));
    }
  }
  return [...found].map(([name, names]) => ({ name, jobs: [...names] }));
}

function opsWords(names: string[]): string {
  const [first, second] = names;
  if (!first) return 'not used by any op now';
  if (!second) return first;
  return names.length === 2 ? `${first}, ${second}` : `${first} and ${names.length - 1} more`;
}
