// The field's tag names that pages give a meaning.

export const PRIORITY_TAG = 'dagster/priority';
export const SCHEDULE_TAG = 'dagster/schedule_name';
export const SENSOR_TAG = 'dagster/sensor_name';
export const PARTITION_TAG = 'dagster/partition';
export const MAX_RUNTIME_TAG = 'dagster/max_runtime';
export const AUTO_RETRY_TAG = 'dagster/auto_retry_run_id';
export const WILL_RETRY_TAG = 'dagster/will_retry';
export const RETRY_NUMBER_TAG = 'dagster/retry_number';
export const STEP_SELECTION_TAG = 'dagster/step_selection';
export const PARENT_TAG = 'dagster/parent_run_id';

export interface KnownTag {
  key: string;
  meaning: string;
  example: string;
}

/** Tags that Runyard itself acts on, for suggestions. */
export const KNOWN_TAGS: KnownTag[] = [
  { key: PRIORITY_TAG, meaning: 'Whole number; higher starts first', example: '5, 0, -1' },
  { key: MAX_RUNTIME_TAG, meaning: 'Seconds until the run is stopped', example: '1800' },
];

/** Tags that a person set, without those that Runyard writes. */
export function ownTags(tags: Record<string, string>): [string, string][] {
  return Object.entries(tags).filter(([key]) => !key.startsWith('dagster/') && !key.startsWith('.dagster/'));
}

/** The only steps that a run does; undefined where it does all of them. */
export function selectedSteps(tags: Record<string, string>): ReadonlySet<string> | undefined {
  const selection = tags[STEP_SELECTION_TAG];
  return selection ? new Set(selection.split(',')) : undefined;
}

/** Who asked for a run, as far as its tags say. */
export function startedBy(tags: Record<string, string>): string | null {
  return tags[SCHEDULE_TAG] ?? tags[SENSOR_TAG] ?? null;
}

/** The same in one word where no schedule or sensor asked: a retry, a re-execution. */
export function origin(tags: Record<string, string>): string | null {
  if (tags[RETRY_NUMBER_TAG]) return `retry ${tags[RETRY_NUMBER_TAG]}`;
  if (tags[PARENT_TAG]) return 're-execution';
  return startedBy(tags);
}
