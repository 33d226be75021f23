import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';
import type { QueueEntry } from '../../api/queueTypes';
import type { Run } from '../../api/types';
import { useMedium } from '../../lib/useNarrow';
import type { Selection } from '../../lib/useSelection';
import { RunRow } from './RunRow';
import classes from './RunsTable.module.css';

const ROW = 27;

interface RunsTableProps {
  runs: Run[];
  queue: Map<string, QueueEntry>;
  cursor: string | null;
  onCursor: (runId: string) => void;
  onReading: (reading: boolean) => void;
  onEnd: () => void;
  newer: ReactNode;
  /** Null where nothing may be done with runs. */
  selection: Selection | null;
}

/** Runs, newest first; only the rows on screen are in the document. */
export function RunsTable({ runs, queue, cursor, onCursor, onReading, onEnd, newer, selection }: RunsTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const pointer = useRef(false);
  const rows = useVirtualizer({ count: runs.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  const items = rows.getVirtualItems();
  const tell = () => {
    const box = scroller.current;
    if (!box) return;
    onReading(pointer.current || box.scrollTop > ROW);
    if (box.scrollTop + box.clientHeight > box.scrollHeight - 20 * ROW) onEnd();
  };
  const enter = (inside: boolean) => {
    pointer.current = inside;
    tell();
  };
  return (
    <div className={classes.scroller} ref={scroller} onScroll={tell} onMouseEnter={() => enter(true)} onMouseLeave={() => enter(false)}>
      {newer}
      <table className="table" aria-rowcount={runs.length}>
        <colgroup>
          {selection && <col className={classes.box} />}
          <col className={classes.status} />
          <col className={classes.id} />
          <col className={classes.job} />
          <col className={`${classes.tags} minor`} />
          <col className={`${classes.by} minor`} />
          <col className={classes.time} />
          <col className={classes.span} />
          <col className={classes.span} />
          <col />
        </colgroup>
        <thead>
          <tr>
            {selection && <SelectAll selection={selection} all={runs.length} />}
            <th>Status</th>
            <th>Run</th>
            <th>Job</th>
            <th className="minor">Tags</th>
            <th className="minor">Started by</th>
            <th className="num">Created</th>
            <th className="num">Waited</th>
            <th className="num">Took</th>
            <th>Cause</th>
          </tr>
        </thead>
        <tbody>
          <Spacer height={items[0]?.start ?? 0} boxes={selection !== null} />
          {items.map((item) => {
            const run = runs[item.index];
            if (!run) return null;
            return (
              <RunRow
                key={run.run_id}
                run={run}
                entry={queue.get(run.run_id)}
                cursor={run.run_id === cursor}
                onCursor={() => onCursor(run.run_id)}
                selected={selection?.chosen.has(run.run_id)}
                onSelect={(range) => selection?.toggle(run.run_id, range)}
              />
            );
          })}
          <Spacer height={rows.getTotalSize() - (items[items.length - 1]?.end ?? 0)} boxes={selection !== null} />
        </tbody>
      </table>
    </div>
  );
}

function SelectAll({ selection, all }: { selection: Selection; all: number }) {
  const some = selection.chosen.size;
  const every = some === all;
  return (
    <th>
      <input
        type="checkbox"
        checked={every}
        ref={(box) => {
          if (box) box.indeterminate = some > 0 && !every;
        }}
        onChange={every ? selection.none : selection.all}
        aria-label="Select all that are shown"
      />
    </th>
  );
}

function Spacer({ height, boxes }: { height: number; boxes: boolean }) {
  // A cell must not span columns that are hidden: it would open them again.
  const columns = (useMedium() ? 7 : 9) + (boxes ? 1 : 0);
  if (height <= 0) return null;
  return (
    <tr className="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
