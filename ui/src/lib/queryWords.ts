// The words of a query field: parted by blanks, and a word that begins with `"` holds blanks up to the next `"`.

const WORD = /"([^"]*)(?:"|$)|\S+/g;

export function splitWords(text: string): string[] {
  return [...text.matchAll(WORD)].map(([all, quoted]) => quoted ?? all).filter(Boolean);
}

/** Whether a blank at the end of the text would belong to a word. */
export function isOpen(text: string): boolean {
  const last = [...text.matchAll(WORD)].at(-1)?.[0] ?? '';
  return last.startsWith('"') && (last.length === 1 || !last.endsWith('"'));
}
