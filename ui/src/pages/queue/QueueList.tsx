import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { QueueEntry } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { ReasonText } from '../../components/ReasonText';
import { needsSomeone, reasonLook } from '../../lib/status';
import { clock, elapsed, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { signed } from '../../lib/words';
import { isHeld, type QueueActs } from './useQueueActs';
import classes from './QueueList.module.css';

/** The queue on a phone; the chosen row opens its controls. */
export function QueueList({ entries, acts }: { entries: QueueEntry[]; acts: QueueActs }) {
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <ol className="rows">
      {entries.map((entry, index) => (
        <QueueItem
          key={entry.run_id}
          entry={entry}
          place={needsSomeone(entry.reason) ? '–' : String(index + 1)}
          chosen={entry.run_id === chosen}
          onChoose={() => setChosen(entry.run_id === chosen ? null : entry.run_id)}
          acts={acts}
        />
      ))}
    </ol>
  );
}

interface QueueItemProps {
  entry: QueueEntry;
  place: string;
  chosen: boolean;
  onChoose: () => void;
  acts: QueueActs;
}

function QueueItem({ entry, place, chosen, onChoose, acts }: QueueItemProps) {
  const now = useNow();
  const look = reasonLook(entry.reason);
  const start = millis(entry.estimated_start);
  return (
    <li className={`${classes.item} ${chosen ? 'cursor' : ''}`} data-run={entry.run_id}>
      <span className={classes.place}>{place}</span>
      <div className={classes.body}>
        <button type="button" className={`first ${classes.head}`} onClick={onChoose} aria-expanded={chosen}>
          <b className="strong grow cut">{entry.job_name}</b>
          {entry.priority !== 0 && (
            <b className="strong">
              {entry.priority > 0 && '+'}
              {signed(entry.priority)}
            </b>
          )}
          <span>{start === null ? '–' : clock(start, now, { seconds: false })}</span>
        </button>
        <div className="second">
          <Glyph name={look.glyph} tone={look.tone} />
          <span className="grow">
            <ReasonText reason={entry.reason} />
          </span>
          <span className="dim">{elapsed(now - (millis(entry.queued_at) ?? now))}</span>
        </div>
        {chosen && !acts.readOnly && <Controls entry={entry} acts={acts} />}
      </div>
    </li>
  );
}

function Controls({ entry, acts }: { entry: QueueEntry; acts: QueueActs }) {
  const step = (by: number) => acts.setPriority(entry, entry.priority + by);
  const held = isHeld(entry);
  return (
    <div className={classes.controls}>
      <span className={classes.stepper}>
        <button type="button" onClick={() => step(-1)} aria-label="Lower its priority">
          –
        </button>
        <b>{signed(entry.priority)}</b>
        <button type="button" onClick={() => step(1)} aria-label="Raise its priority">
          +
        </button>
      </span>
      <Button h={36} onClick={() => (held ? acts.release(entry) : acts.startHolding(entry))}>
        {held ? 'Release' : 'Hold'}
      </Button>
      <Button h={36} component={Link} to={`/runs/${entry.run_id}`}>
        Open
      </Button>
      <Button h={36} onClick={() => acts.cancel(entry)}>
        Cancel
      </Button>
    </div>
  );
}
