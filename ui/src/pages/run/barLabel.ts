import type { Segment } from '../../lib/gantt/types';

/** Pixels of a character of a bar's face on average, and of its padding. */
const CHARACTER = 5.4;
const PADDING = 10;

/** The longest wording of a bar that its width has room for; nothing rather than half a word. */
export function barLabel(segment: Segment, pixels: number, attempts: number): string {
  return wordings(segment, attempts).find((text) => text.length * CHARACTER + PADDING <= pixels) ?? '';
}

function wordings({ kind, attempt, name }: Segment, attempts: number): string[] {
  const numbered = attempts > 1 ? [`attempt ${attempt}`, String(attempt)] : [];
  switch (kind) {
    case 'failed':
      return [...(name ? [...numbered.map((number) => `${number}, ${name}`), ...(attempts > 1 ? [] : [name])] : []), ...numbered];
    case 'work':
    case 'running':
      return numbered;
    case 'pool-wait':
      return name ? [`pool ${name}`, name] : [];
    case 'retry-wait':
      return name ? [`retry in ${name}`, name] : [];
    case 'canceled':
      return ['canceled'];
    default:
      return [];
  }
}
