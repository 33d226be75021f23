// The query field of the Runs page: chips such as status:failed job:report team=docs. A bare word is a job's name.

import type { RunStatus } from '../../api/types';
import { IN_PROGRESS, WAITING } from '../../lib/status';
import { splitTag } from '../../lib/tagText';

export type ChipKind = 'status' | 'job' | 'location' | 'tag';

export interface Chip {
  kind: ChipKind;
  /** For a tag `key=value`, as lib/tagText has it. */
  value: string;
}

/** What people write after `status:`, and the statuses that it means. */
export const STATUS_WORDS: Record<string, RunStatus[]> = {
  running: IN_PROGRESS,
  waiting: WAITING,
  queued: ['QUEUED'],
  starting: ['STARTING'],
  started: ['STARTED'],
  canceling: ['CANCELING'],
  failed: ['FAILURE'],
  failure: ['FAILURE'],
  success: ['SUCCESS'],
  succeeded: ['SUCCESS'],
  canceled: ['CANCELED'],
};

/** Reads one word of the query field; null for a status that does not exist. */
export function parseChip(word: string): Chip | null {
  const field = word.match(/^(status|job|location):(.+)$/);
  if (field) {
    const [, kind, value] = field as unknown as [string, ChipKind, string];
    if (kind === 'status') return STATUS_WORDS[value.toLowerCase()] ? { kind, value: value.toLowerCase() } : null;
    return { kind, value };
  }
  const { key, value } = splitTag(word);
  if (key && value) return { kind: 'tag', value: word };
  return { kind: 'job', value: word };
}

const KINDS: ChipKind[] = ['status', 'job', 'location', 'tag'];

/** The chips that the page's address holds. */
export function chipsOf(search: URLSearchParams): Chip[] {
  const chips = KINDS.flatMap((kind) => search.getAll(kind).map((value) => ({ kind, value })));
  return chips.filter(({ kind, value }) => kind !== 'status' || STATUS_WORDS[value]);
}

/** The page's address for chips. */
export function searchOf(chips: Chip[]): URLSearchParams {
  const search = new URLSearchParams();
  for (const chip of chips) search.append(chip.kind, chip.value);
  return search;
}

/** What the server is asked for chips. */
export function requestOf(chips: Chip[]): string {
  const request = new URLSearchParams();
  for (const chip of chips) {
    const values = chip.kind === 'status' ? (STATUS_WORDS[chip.value] ?? []) : [chip.value];
    for (const value of values) request.append(chip.kind, value);
  }
  return request.toString();
}

export function chipText(chip: Chip): string {
  return chip.kind === 'tag' ? chip.value : `${chip.kind}:${chip.value}`;
}

/** Where the search field of the top bar leads: a run by the beginning of its id, or runs that fit the words. */
export function searchTarget(text: string): string | null {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const [only] = words;
  if (words.length === 1 && only && /^[0-9a-f]{4}[0-9a-f-]*$/i.test(only)) return `/runs/${only}`;
  const chips = words.flatMap((word) => parseChip(word) ?? []);
  return chips.length ? `/runs?${searchOf(chips)}` : null;
}
