// The queue page's filter: words such as job:report team=docs priority:5 held:yes. A bare word is a job's name.

import type { QueueEntry, QueueFilter } from '../../api/queueTypes';
import { splitTag } from '../../lib/tagText';

const FIELDS = ['job', 'location', 'priority', 'held'] as const;
const PARAM = 'q';

export function wordsOf(search: URLSearchParams): string[] {
  return search.getAll(PARAM).filter((word) => refusalOf(word) === null);
}

export function searchOf(words: string[]): URLSearchParams {
  return new URLSearchParams(words.map((word) => [PARAM, word]));
}

/** A bare word as the chip that it becomes. */
export function fullWord(word: string): string {
  return fieldOf(word) || isTag(word) ? word : `job:${word}`;
}

export function refusalOf(word: string): string | null {
  const field = fieldOf(word);
  if (field?.name === 'priority' && !/^-?\d+$/.test(field.value)) return 'A priority is a whole number: priority:5';
  if (!field && word.includes('=') && !isTag(word)) return 'A tag is key=value; a = of the key itself is written \\=';
  if (field?.name === 'held' && !['yes', 'no'].includes(field.value)) return 'Write held:yes or held:no';
  return null;
}

/** What the server is asked for these words; null without any. */
export function filterOf(words: string[]): QueueFilter | null {
  if (words.length === 0) return null;
  return words.reduce<QueueFilter>((filter, word) => ({ ...filter, ...condition(word, filter) }), {});
}

function condition(word: string, filter: QueueFilter): QueueFilter {
  const field = fieldOf(word);
  if (!field) {
    const { key, value } = splitTag(word);
    return value === null ? { job: word } : { tags: { ...filter.tags, [key]: value } };
  }
  if (field.name === 'priority') return { priority: Number(field.value) };
  if (field.name === 'held') return { held: field.value === 'yes' };
  return { [field.name]: field.value };
}

/** Whether an entry that is here already fits, as the server would judge it. */
export function fits(entry: QueueEntry, filter: QueueFilter): boolean {
  return (
    (filter.job === undefined || entry.job_name === filter.job) &&
    (filter.location === undefined || entry.location === filter.location) &&
    (filter.priority === undefined || entry.priority === filter.priority) &&
    (filter.held === undefined || isHeld(entry) === filter.held) &&
    Object.entries(filter.tags ?? {}).every(([key, value]) => entry.tags[key] === value)
  );
}

export const isHeld = (entry: QueueEntry) => entry.reason.kind === 'held';

function isTag(word: string): boolean {
  const { key, value } = splitTag(word);
  return key !== '' && Boolean(value);
}

function fieldOf(word: string): { name: (typeof FIELDS)[number]; value: string } | null {
  const name = FIELDS.find((each) => word.startsWith(`${each}:`));
  return name && word.length > name.length + 1 ? { name, value: word.slice(name.length + 1) } : null;
}
