import { useRunCounts } from '../../api/queries';
import { PageTabs } from '../../components/PageTabs';
import { STATUS_WORDS, type Chip } from './filters';

const TABS: { label: string; word: string | null }[] = [
  { label: 'All', word: null },
  { label: 'In progress', word: 'running' },
  { label: 'Waiting', word: 'waiting' },
  { label: 'Failed', word: 'failed' },
];

/** How many runs are in which state; each tab is the filter of its state. */
export function RunsTabs({ chips }: { chips: Chip[] }) {
  const counts = useRunCounts().data;
  const chosen = chips.filter((chip) => chip.kind === 'status').map((chip) => chip.value);
  const total = (word: string | null) => {
    if (!counts) return undefined;
    const wanted = word ? STATUS_WORDS[word] : null;
    return Object.entries(counts).reduce((sum, [status, n]) => (wanted && !wanted.some((s) => s === status) ? sum : sum + n), 0);
  };
  const tabs = TABS.map(({ label, word }) => ({
    to: word ? `/runs?status=${word}` : '/runs',
    label,
    count: total(word),
    active: word ? chosen.length === 1 && chosen[0] === word : chosen.length === 0,
  }));
  return <PageTabs tabs={tabs} />;
}
