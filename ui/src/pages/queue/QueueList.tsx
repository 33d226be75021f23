import { Button } from '@mantine/core';
import { useState } from 'react';
import type { QueueEntry } from '../../api/queueTypes';
import { Glyph } from '../../components/Glyph';
import { ReasonText } from '../../components/ReasonText';
import { reasonLook } from '../../lib/status';
import { PARTITION_TAG } from '../../lib/tags';
import { clock, elapsed, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { signed } from '../../lib/words';
import { isHeld } from './queueFilter';
import type { QueueActs } from './useQueueActs';
import classes from './QueueList.module.css';

/** The queue on a phone; the chosen row opens its controls. */
export function QueueList({ entries, acts, onWhy }: { entries: QueueEntry[]; acts: QueueActs; onWhy: (entry: QueueEntry) => void }) {
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <ol className="rows">
      {entries.map((entry) => (
        <QueueItem
          key={entry.run_id}
          entry={entry}
          place={entry.reason.needs_action ? '–' : String(entry.forecast_position ?? '…')}
          chosen={entry.run_id === chosen}
          onChoose={() => setChosen(entry.run_id === chosen ? null : entry.run_id)}
          acts={acts}
          onWhy={() => onWhy(entry)}
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
  onWhy: () => void;
}

function QueueItem({ entry, place, chosen, onChoose, acts, onWhy }: QueueItemProps) {
  const now = useNow();
  const look = reasonLook(entry.reason);
  const start = millis(entry.estimated_start);
  return (
    <li className={`${classes.item} ${chosen ? 'cursor' : ''}`} data-run={entry.run_id}>
      <span className={classes.place}>{place}</span>
      <div className={classes.body}>
        <button type="button" className={`first ${classes.head}`} onClick={onChoose} aria-expanded={chosen}>
          <span className="grow cut">
            <b className="strong">{entry.job_name}</b>
            {entry.tags[PARTITION_TAG] && <span className="mono dim"> {entry.tags[PARTITION_TAG]}</span>}
          </span>
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
        {chosen && !acts.readOnly && <Controls entry={entry} acts={acts} onWhy={onWhy} />}
      </div>
    </li>
  );
}

function Controls({ entry, acts, onWhy }: Pick<QueueItemProps, 'entry' | 'acts' | 'onWhy'>) {
  const step = (by: number) => acts.setPriority(entry, entry.priority + by);
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
      <Button h={36} onClick={() => acts.holdOrRelease(entry)}>
        {isHeld(entry) ? 'Release' : 'Hold'}
      </Button>
      <Button h={36} onClick={onWhy}>
        Why
      </Button>
      <Button h={36} onClick={() => acts.ask(entry, 'cancel')}>
        Cancel
      </Button>
    </div>
  );
}
