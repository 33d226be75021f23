import { useEffect, useState } from 'react';
import { stringify } from 'yaml';
import type { Job, Run } from '../../api/types';

export interface Draft {
  text: string;
  /** Tags of this run that the definition does not have, or has with another value. */
  tags: Record<string, string>;
}

export function toYaml(config: Record<string, unknown>): string {
  return Object.keys(config).length ? stringify(config) : '';
}

/** Tags of a run that somebody set: what the system or the definition adds comes by itself. */
export function tagsToRepeat(run: Run, job: Job): Record<string, string> {
  const kept = Object.entries(run.tags).filter(([key, value]) => {
    const ours = key.startsWith('.dagster/') || (key.startsWith('dagster/') && !REPEATED.has(key));
    return !ours && job.tags[key] !== value;
  });
  return Object.fromEntries(kept);
}

const REPEATED = new Set(['dagster/priority', 'dagster/max_runtime', 'dagster/partition']);

/** What is being written for a job: kept while this tab lives, begun from a run or from the job's defaults. */
export function useDraft(job: Job, from: Run | null) {
  const name = `runyard.launchpad ${job.location}/${job.name}${from ? ` ${from.run_id}` : ''}`;
  const [draft, setDraft] = useState<Draft>(() => stored(name) ?? begin(job, from));
  useEffect(() => sessionStorage.setItem(name, JSON.stringify(draft)), [name, draft]);
  return [draft, setDraft] as const;
}

function begin(job: Job, from: Run | null): Draft {
  if (from) return { text: toYaml(from.run_config), tags: tagsToRepeat(from, job) };
  return { text: toYaml(job.default_config), tags: {} };
}

function stored(name: string): Draft | null {
  const text = sessionStorage.getItem(name);
  return text ? (JSON.parse(text) as Draft) : null;
}
