// Wording shared by pages.

/** `1 run`, `3 runs`. */
export function count(amount: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(amount)} ${amount === 1 ? singular : plural}`;
}

/** Digits in groups of three, with a narrow no-break space: `2 418`. */
export function grouped(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `job=etl` for the built-in key that stands behind it. */
export function subjectName(subject: string): string {
  return subject.replace(/^runyard\//, '');
}

/** The first eight characters of a run's id. */
export function shortId(runId: string): string {
  return runId.slice(0, 8);
}

/** `−1` with a real minus sign. */
export function signed(value: number): string {
  return String(value).replace('-', '−');
}

/** `a, b and c` */
export function listing(words: string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** `812 B`, `38 KB`, `1.2 GB`: how big a file is, in steps of 1,000. */
export function fileSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const amount = bytes / 1000 ** step;
  return `${amount < 9.95 && step > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[step] ?? ''}`;
}

/** `runyard dev (process 4711 on orla)`. */
export function processName({ command, pid, host }: { command: string; pid: number; host: string }): string {
  return `${command} (process ${pid} on ${host})`;
}
