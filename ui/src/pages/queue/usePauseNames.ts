import { useJobs, useLocations } from '../../api/queries';
import { useLimitsInForce, useQueue } from '../../api/queueQueries';
import { ownTags } from '../../lib/tags';
import { spellTag } from '../../lib/tagText';
import type { PauseChoice } from './PauseDialog';

/** Names to choose from: what the locations define, and the tags of the runs that wait first. */
export function usePauseNames(what: PauseChoice): string[] {
  const jobs = useJobs().data ?? [];
  const locations = useLocations().data ?? [];
  const limits = useLimitsInForce().data ?? [];
  const entries = useQueue().data ?? [];
  const names = {
    queue: () => [],
    job: () => jobs.map((job) => job.name),
    tag: () => entries.flatMap((entry) => ownTags(entry.tags).map((tag) => spellTag(...tag))),
    pool: () => limits.filter((limit) => limit.kind === 'pool').map((limit) => limit.name),
    location: () => locations.map((location) => location.name),
  }[what]();
  return [...new Set(names)].sort();
}
