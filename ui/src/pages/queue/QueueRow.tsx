import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { MouseEvent } from 'react';
import { Link } from 'react-router';
import type { QueueEntry } from '../../api/queueTypes';
import { Glyph } from '../../components/Glyph';
import { ReasonText } from '../../components/ReasonText';
import { reasonLook } from '../../lib/status';
import { PARTITION_TAG } from '../../lib/tags';
import { elapsed, millis } from '../../lib/time';
import { shortId, signed } from '../../lib/words';
import { PriorityCell } from './PriorityCell';
import { isHeld } from './queueFilter';
import { StartsAbout } from './StartsAbout';
import type { QueueActs } from './useQueueActs';
import classes from './QueueTable.module.css';

export interface RowProps {
  entry: QueueEntry;
  now: number;
  acts: QueueActs;
  cursor: boolean;
  chosen: boolean;
  /** How far estimates were off so far. */
  accuracy: string | null;
  onCursor: () => void;
  onChoose: (range: boolean) => void;
  onWhy: () => void;
}

export function QueueRow({ entry, now, acts, cursor, chosen, accuracy, onCursor, onChoose, onWhy }: RowProps) {
  const look = reasonLook(entry.reason);
  const queued = millis(entry.queued_at) ?? now;
  const click = (event: MouseEvent) => (event.shiftKey && !acts.readOnly ? onChoose(true) : onCursor());
  return (
    <tr
      className={`${cursor ? 'cursor' : ''} ${chosen ? classes.chosen : ''}`}
      onClick={click}
      data-run={entry.run_id}
    >
      <td className={`num strong ${classes.number}`}>
        <span>{entry.reason.needs_action ? '–' : (entry.forecast_position ?? '…')}</span>
        {!acts.readOnly && (
          <input
            type="checkbox"
            checked={chosen}
            onChange={() => undefined}
            onClick={(event) => {
              event.stopPropagation();
              onChoose(event.shiftKey);
            }}
            aria-label={`Select ${shortId(entry.run_id)}`}
          />
        )}
      </td>
      <td className={`num ${entry.priority ? 'strong' : 'dim'}`}>
        {acts.readOnly ? signed(entry.priority) : <PriorityCell entry={entry} onSet={(value) => acts.setPriority(entry, value)} />}
      </td>
      <td className="name">
        <Link to={`/runs/${entry.run_id}`} title={entry.job_name}>
          {entry.job_name}
        </Link>
        {entry.tags[PARTITION_TAG] && <span className="mono dim"> {entry.tags[PARTITION_TAG]}</span>}
      </td>
      <td className="mono">
        <Link to={`/runs/${entry.run_id}`} title={entry.run_id}>
          {shortId(entry.run_id)}
        </Link>
      </td>
      <td className="num">{elapsed(now - queued)}</td>
      <td className="num">
        <StartsAbout entry={entry} now={now} accuracy={accuracy} />
      </td>
      <td className={classes.reason} title={entry.reason.message}>
        <Glyph name={look.glyph} tone={look.tone} />
        <ReasonText reason={entry.reason} />
      </td>
      <td className="num">{!acts.readOnly && <RowActs entry={entry} acts={acts} onWhy={onWhy} />}</td>
    </tr>
  );
}

function RowActs({ entry, acts, onWhy }: { entry: QueueEntry; acts: QueueActs; onWhy: () => void }) {
  return (
    <>
      <button type="button" className={classes.act} onClick={() => acts.holdOrRelease(entry)}>
        {isHeld(entry) ? 'Release' : 'Hold'}
      </button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon className={classes.more} aria-label={`More for ${shortId(entry.run_id)}`}>
            <IconDots size={15} stroke={1.7} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={onWhy}>Why it waits</Menu.Item>
          <Menu.Item onClick={() => acts.ask(entry, 'priority')}>Set priority…</Menu.Item>
          <Menu.Item component={Link} to={`/runs/${entry.run_id}`}>
            Open
          </Menu.Item>
          <Menu.Item onClick={() => void navigator.clipboard.writeText(entry.run_id)}>Copy its id</Menu.Item>
          <Menu.Item onClick={() => acts.ask(entry, 'cancel')}>Cancel, it will not start…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
