import type { QueueEntry, QueueSummary } from '../../api/queueTypes';
import { distance } from '../../lib/time';
import { grouped } from '../../lib/words';

interface SummaryLineProps {
  summary: QueueSummary;
  entries: QueueEntry[];
  narrow: boolean;
}

/** How many wait and how they will fare, in one sentence. */
export function SummaryLine({ summary, entries, narrow }: SummaryLineProps) {
  if (summary.depth === 0) return <span>nothing waiting</span>;
  if (narrow) {
    return (
      <span>
        <b className="strong">{grouped(summary.depth)} waiting</b>
        {summary.oldest_wait !== null && `, oldest ${distance(summary.oldest_wait * 1000)}`}
      </span>
    );
  }
  const oldest = summary.oldest_wait === null ? '' : `. Oldest waits ${distance(summary.oldest_wait * 1000)}`;
  const parts = entries.length >= summary.depth ? ofAll(entries) : ofSome(summary);
  return (
    <span>
      {parts.filter(Boolean).join(', ')}
      {oldest}
    </span>
  );
}

function ofAll(entries: QueueEntry[]) {
  const stuck = entries.filter((entry) => entry.reason.needs_action).length;
  const coming = entries.length - stuck;
  return [
    coming > 0 && `${grouped(coming)} will start in this order`,
    stuck > 0 && `${grouped(stuck)} ${stuck === 1 ? 'stays' : 'stay'} until someone acts`,
  ];
}

/** Where not every run is here, nobody has looked at why each of them waits. */
function ofSome({ depth, held }: QueueSummary) {
  return [`${grouped(depth)} wait`, held > 0 && `${grouped(held)} of them held`];
}
