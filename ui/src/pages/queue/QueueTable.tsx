import { useNavigate } from 'react-router';
import type { QueueEntry } from '../../api/types';
import { useCursor } from '../../keys/useCursor';
import { usePageKeys } from '../../keys/usePageKeys';
import { needsSomeone } from '../../lib/status';
import { useNow } from '../../lib/useNow';
import { QueueRow } from './QueueRow';
import { isHeld, type QueueActs } from './useQueueActs';
import classes from './QueueTable.module.css';

/** The queue in the order in which runs will start, then those that wait for a person. */
export function QueueTable({ entries, acts }: { entries: QueueEntry[]; acts: QueueActs }) {
  const now = useNow();
  const coming = entries.filter((entry) => !needsSomeone(entry.reason));
  const stuck = entries.filter((entry) => needsSomeone(entry.reason));
  const cursor = useCursor([...coming, ...stuck], (entry) => entry.run_id);
  const navigate = useNavigate();
  const onRow = (act: (entry: QueueEntry) => void) => () => cursor.row && !acts.readOnly && act(cursor.row);

  usePageKeys([
    cursor.move,
    {
      on: ['+', '=', '-'],
      show: ['+', '-'],
      label: 'priority',
      act: (key) => onRow((entry) => acts.setPriority(entry, entry.priority + (key === '-' ? -1 : 1)))(),
    },
    {
      on: ['h'],
      show: ['H'],
      label: 'hold or release',
      act: onRow((entry) => (isHeld(entry) ? acts.release(entry) : acts.startHolding(entry))),
    },
    { on: ['Enter'], show: ['Enter'], label: 'open', act: () => cursor.row && void navigate(`/runs/${cursor.row.run_id}`) },
  ]);

  const row = (entry: QueueEntry, place: number | null) => (
    <QueueRow
      key={entry.run_id}
      entry={entry}
      place={place}
      now={now}
      acts={acts}
      cursor={entry.run_id === cursor.id}
      onCursor={() => cursor.set(entry.run_id)}
    />
  );
  return (
    <table className={`table tall ${classes.table}`}>
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
      <thead>
        <tr>
          <th className="num">#</th>
          <th className="num">Priority</th>
          <th>Job</th>
          <th>Run</th>
          <th className="num">Waiting</th>
          <th className="num">Starts about</th>
          <th>Why it waits</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {coming.map((entry, index) => row(entry, index + 1))}
        {stuck.length > 0 && (
          <tr className="group plain">
            <td colSpan={8}>Will not start until someone acts</td>
          </tr>
        )}
        {stuck.map((entry) => row(entry, null))}
      </tbody>
    </table>
  );
}
