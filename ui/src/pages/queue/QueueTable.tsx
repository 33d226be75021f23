import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';
import type { QueueEntry } from '../../api/queueTypes';
import { useNow } from '../../lib/useNow';
import { QueueRow } from './QueueRow';
import type { QueueActs } from './useQueueActs';
import type { Selection } from '../../lib/useSelection';
import classes from './QueueTable.module.css';

const ROW = 32;
const NEAR_THE_END = 10 * ROW;

interface QueueTableProps {
  coming: QueueEntry[];
  stuck: QueueEntry[];
  acts: QueueActs;
  cursor: string | null;
  onCursor: (runId: string) => void;
  selection: Selection;
  accuracy: string | null;
  onWhy: (entry: QueueEntry) => void;
  onFilter: () => void;
  /** Called when the last rows come into sight. */
  onEnd: () => void;
  foot: ReactNode;
}

/** The queue in the order in which runs will start, then those that wait for a person; only rows in sight are drawn. */
export function QueueTable(props: QueueTableProps) {
  const { coming, stuck, selection, cursor } = props;
  const now = useNow();
  const scroller = useRef<HTMLDivElement>(null);
  const items: (QueueEntry | 'group')[] = stuck.length ? [...coming, 'group', ...stuck] : coming;
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  const shown = rows.getVirtualItems();
  const scroll = () => {
    const box = scroller.current;
    if (box && box.scrollTop + box.clientHeight > box.scrollHeight - NEAR_THE_END) props.onEnd();
  };
  return (
    <div className={classes.scroller} ref={scroller} onScroll={scroll}>
      <table className={`table tall ${classes.table}`} aria-rowcount={items.length}>
        <Columns />
        <Head selection={selection} all={coming.length + stuck.length} onFilter={props.onFilter} readOnly={props.acts.readOnly} />
        <tbody>
          <Spacer height={shown[0]?.start ?? 0} />
          {shown.map(({ index }) => {
            const item = items[index];
            if (item === undefined) return null;
            if (item === 'group') return <Group key="group" />;
            return (
              <QueueRow
                key={item.run_id}
                entry={item}
                now={now}
                acts={props.acts}
                cursor={item.run_id === cursor}
                chosen={selection.chosen.has(item.run_id)}
                accuracy={props.accuracy}
                onCursor={() => props.onCursor(item.run_id)}
                onChoose={(range) => selection.toggle(item.run_id, range)}
                onWhy={() => props.onWhy(item)}
              />
            );
          })}
          <Spacer height={rows.getTotalSize() - (shown[shown.length - 1]?.end ?? 0)} />
        </tbody>
      </table>
      {props.foot}
    </div>
  );
}

function Columns() {
  return (
    <colgroup>
      <col className={classes.place} />
      <col className={classes.priority} />
      <col className={classes.job} />
      <col className={classes.id} />
      <col className={classes.waiting} />
      <col className={classes.start} />
      <col />
      <col className={classes.acts} />
    </colgroup>
  );
}

interface HeadProps {
  selection: Selection;
  all: number;
  onFilter: () => void;
  readOnly: boolean;
}

function Head({ selection, all, onFilter, readOnly }: HeadProps) {
  const every = selection.chosen.size === all && all > 0;
  return (
    <thead>
      <tr className={selection.chosen.size ? classes.choosing : ''}>
        <th className={`num ${classes.number}`}>
          <span>#</span>
          {!readOnly && (
            <input type="checkbox" checked={every} onChange={every ? selection.none : selection.all} aria-label="Select all that are shown" />
          )}
        </th>
        <th className="num">Priority</th>
        <th>Job</th>
        <th>Run</th>
        <th className="num">Waiting</th>
        <th className="num">Starts about</th>
        <th>Why it waits</th>
        <th className="num">
          <button type="button" className={classes.filter} onClick={onFilter}>
            Filter
          </button>
        </th>
      </tr>
    </thead>
  );
}

function Group() {
  return (
    <tr className={`group plain ${classes.group}`}>
      <td colSpan={8}>Will not start until someone acts</td>
    </tr>
  );
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr className="spacer" aria-hidden="true">
      <td colSpan={8} style={{ height }} />
    </tr>
  );
}
