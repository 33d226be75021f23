import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { QueueEntry } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { ReasonText } from '../../components/ReasonText';
import { reasonLook } from '../../lib/status';
import { clock, distance, elapsed, millis, sameDay } from '../../lib/time';
import { shortId, signed } from '../../lib/words';
import { PriorityCell } from './PriorityCell';
import { isHeld, type QueueActs } from './useQueueActs';
import classes from './QueueTable.module.css';

interface QueueRowProps {
  entry: QueueEntry;
  /** Place in the forecast order; null for a run that waits for a person. */
  place: number | null;
  now: number;
  acts: QueueActs;
  cursor: boolean;
  onCursor: () => void;
}

export function QueueRow({ entry, place, now, acts, cursor, onCursor }: QueueRowProps) {
  const look = reasonLook(entry.reason);
  const queued = millis(entry.queued_at) ?? now;
  return (
    <tr className={cursor ? 'cursor' : ''} onClick={onCursor} data-run={entry.run_id}>
      <td className="num strong">{place ?? '–'}</td>
      <td className={`num ${entry.priority ? 'strong' : 'dim'}`}>
        {acts.readOnly ? signed(entry.priority) : <PriorityCell entry={entry} onSet={(value) => acts.setPriority(entry, value)} />}
      </td>
      <td className="name">
        <Link to={`/runs/${entry.run_id}`} title={entry.job_name}>
          {entry.job_name}
        </Link>
      </td>
      <td className="mono">
        <Link to={`/runs/${entry.run_id}`} title={entry.run_id}>
          {shortId(entry.run_id)}
        </Link>
      </td>
      <td className="num">{elapsed(now - queued)}</td>
      <td className="num">
        <Start entry={entry} now={now} />
      </td>
      <td className={classes.reason} title={entry.reason.message}>
        <Glyph name={look.glyph} tone={look.tone} />
        <ReasonText reason={entry.reason} />
      </td>
      <td className="num">{!acts.readOnly && <RowActs entry={entry} acts={acts} />}</td>
    </tr>
  );
}

function Start({ entry, now }: { entry: QueueEntry; now: number }) {
  const start = millis(entry.estimated_start);
  if (start === null) return <span className="dim">not foreseeable</span>;
  if (start <= now) return <>now<span className={classes.distance} /></>;
  if (!sameDay(start, now)) return <span title={`in ${distance(start - now)}`}>{clock(start, now, { seconds: false })}</span>;
  return (
    <>
      {clock(start, now, { seconds: false })}
      <span className={classes.distance}>in {distance(start - now)}</span>
    </>
  );
}

function RowActs({ entry, acts }: { entry: QueueEntry; acts: QueueActs }) {
  const held = isHeld(entry);
  return (
    <>
      <button type="button" className={classes.act} onClick={() => (held ? acts.release(entry) : acts.startHolding(entry))}>
        {held ? 'Release' : 'Hold'}
      </button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon className={classes.more} aria-label={`More for ${shortId(entry.run_id)}`}>
            <IconDots size={15} stroke={1.7} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/runs/${entry.run_id}`}>
            Open
          </Menu.Item>
          <Menu.Item onClick={() => void navigator.clipboard.writeText(entry.run_id)}>Copy its id</Menu.Item>
          <Menu.Item onClick={() => acts.cancel(entry)}>Cancel, it will not start</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
