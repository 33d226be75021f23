import type { Instigator, InstigatorKind } from '../../api/types';
import { cronWords } from '../../lib/cron';
import { millis } from '../../lib/time';

export interface Item {
  kind: InstigatorKind;
  instigator: Instigator;
}

export const idOf = ({ kind, instigator }: Item) => `${kind}/${instigator.location}/${instigator.name}`;

export const isOn = (instigator: Instigator) => instigator.status === 'RUNNING';

/** When it is evaluated next, in milliseconds; null when it is off or nobody can know. */
export function nextTick(instigator: Instigator): number | null {
  if (!isOn(instigator)) return null;
  const told = millis(instigator.next_tick_at);
  if (told !== null) return told;
  const last = millis(instigator.last_tick?.time);
  const interval = instigator.minimum_interval_seconds;
  return last === null || interval === undefined ? null : last + interval * 1000;
}

/** Those that cannot run and failing ones first, then those that are on, then those that are off; by name within each. */
export function sorted(items: Item[]): Item[] {
  const rank = ({ instigator }: Item) => {
    if (instigator.problem !== null) return 0;
    if (!isOn(instigator)) return 2;
    return instigator.last_tick?.status === 'FAILURE' ? 0 : 1;
  };
  return [...items].sort((a, b) => rank(a) - rank(b) || a.instigator.name.localeCompare(b.instigator.name));
}

/** `every 30 s`, `09:00 daily`, with the zone where it is not the reader's. */
export function when(instigator: Instigator): string {
  if (instigator.cron_schedule) {
    const zone = instigator.execution_timezone ?? 'UTC';
    const foreign = zone !== Intl.DateTimeFormat().resolvedOptions().timeZone;
    const words = instigator.cron_schedule.map(cronWords);
    const bound = words.some((each) => !/^every \d+ min$|^at :|^every minute$/.test(each));
    return words.join(', ') + (foreign && bound ? ` ${zone}` : '');
  }
  const seconds = instigator.minimum_interval_seconds ?? 0;
  return seconds % 60 === 0 && seconds > 0 ? `every ${seconds / 60} min` : `every ${seconds} s`;
}

/** As the code says it. */
export function whenTitle(instigator: Instigator): string {
  return instigator.cron_schedule ? `${instigator.cron_schedule.join(', ')} ${instigator.execution_timezone ?? 'UTC'}` : when(instigator);
}
