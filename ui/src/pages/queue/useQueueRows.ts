import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { ENTRIES_AT_FIRST, MOST_ENTRIES, useQueue, useQueueCount } from '../../api/queueQueries';
import { filterOf, fits, fullWord, searchOf, wordsOf } from './queueFilter';

/** The entries that the page shows: the first ones, more on demand, those that fit the filter in the page's address. */
export function useQueueRows() {
  const [search, setSearch] = useSearchParams();
  const words = useMemo(() => wordsOf(search), [search]);
  const filter = useMemo(() => filterOf(words), [words]);
  const [wanted, setWanted] = useState(ENTRIES_AT_FIRST);
  // A filter looks through as many entries as there are to be had.
  const limit = filter ? MOST_ENTRIES : wanted;
  const query = useQueue(limit);
  const fitting = useQueueCount(filter).data;
  const entries = useMemo(() => (query.data ?? []).filter((entry) => !filter || fits(entry, filter)), [query.data, filter]);
  const { coming, stuck } = useMemo(
    () => ({
      coming: entries.filter((entry) => !entry.reason.needs_action),
      stuck: entries.filter((entry) => entry.reason.needs_action),
    }),
    [entries],
  );
  const more = () => setWanted((before) => Math.min(MOST_ENTRIES, Math.max(before, limit) * 3));
  return {
    query,
    limit,
    words,
    setWords: (next: string[]) => setSearch(searchOf(next.map(fullWord)), { replace: true }),
    filter,
    /** How many of all queued runs fit. */
    fitting,
    entries,
    coming,
    stuck,
    /** Because somebody asks for more: never lost, also while an answer is under way. */
    more,
    /** Because the end is in sight: that is told again and again until more is there. */
    reachEnd: () => !query.isFetching && more(),
  };
}
