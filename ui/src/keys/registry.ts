// Keys of the page that is open: one listener, a list that the status bar shows, off while typing.

export interface PageKey {
  /** Values of `KeyboardEvent.key` that do it. */
  on: string[];
  /** How the keys are drawn. */
  show: string[];
  label: string;
  act: (key: string) => void;
}

const STORED = 'runyard.keys';

let pageKeys: PageKey[] = [];
let enabled = localStorage.getItem(STORED) !== 'off';
const watchers = new Set<() => void>();

const changed = () => watchers.forEach((watcher) => watcher());

export function watchKeys(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const currentKeys = () => pageKeys;
export const keysEnabled = () => enabled;

export function setPageKeys(keys: PageKey[]): void {
  pageKeys = keys;
  changed();
}

export function setKeysEnabled(on: boolean): void {
  enabled = on;
  localStorage.setItem(STORED, on ? 'on' : 'off');
  changed();
}

/** Whether a key press belongs to a field, a dialog or the browser rather than to the page. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target as HTMLElement | null;
  if (!target) return false;
  if (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) return true;
  if (target.closest('[role="dialog"], [role="menu"]')) return true;
  // Enter and Space act on what has the focus.
  return ['Enter', ' '].includes(event.key) && ['BUTTON', 'A'].includes(target.tagName);
}

/** The page's binding for a key press, if single keys are on and nobody else takes it. */
export function bindingFor(event: KeyboardEvent): PageKey | undefined {
  if (!enabled || isTaken(event)) return undefined;
  return pageKeys.find((key) => key.on.includes(event.key));
}
