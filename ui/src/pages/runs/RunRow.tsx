import type { MouseEvent } from 'react';
import { Link } from 'react-router';
import type { QueueEntry } from '../../api/queueTypes';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { TagChip } from '../../components/TagChip';
import { runLook } from '../../lib/status';
import { origin, ownTags, PARTITION_TAG, PRIORITY_TAG } from '../../lib/tags';
import { spellTag } from '../../lib/tagText';
import { clock, fullTime, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { shortId } from '../../lib/words';
import { cause, causeTitle } from './cause';
import { took, waited } from './runTimes';
import classes from './RunsTable.module.css';

interface RunRowProps {
  run: Run;
  entry: QueueEntry | undefined;
  cursor: boolean;
  onCursor: () => void;
  /** Undefined where runs cannot be selected. */
  selected: boolean | undefined;
  onSelect: (range: boolean) => void;
}

export function RunRow({ run, entry, cursor, onCursor, selected, onSelect }: RunRowProps) {
  const now = useNow();
  const created = millis(run.created_at) ?? now;
  const click = (event: MouseEvent) => (event.shiftKey && selected !== undefined ? onSelect(true) : onCursor());
  return (
    <tr className={`${cursor ? 'cursor' : ''} ${selected ? classes.selected : ''}`} onClick={click} data-run={run.run_id}>
      {selected !== undefined && <SelectCell run={run} selected={selected} onSelect={onSelect} />}
      <td>
        <StateWord look={runLook(run.status, entry?.reason)} />
      </td>
      <td>
        <Link className="mono" to={`/runs/${run.run_id}`} title={run.run_id}>
          {shortId(run.run_id)}
        </Link>
      </td>
      <td className="name">
        <Link to={`/runs/${run.run_id}`}>{run.job_name}</Link>
        {run.tags[PARTITION_TAG] && <span className="mono dim"> {run.tags[PARTITION_TAG]}</span>}
      </td>
      <td className="minor" title={ownTags(run.tags).map((tag) => spellTag(...tag)).join(' ') || undefined}>
        <RunTags run={run} />
      </td>
      <td className="minor dim-2">{origin(run.tags) ?? '–'}</td>
      <td className="num" title={fullTime(created)}>
        {clock(created, now)}
      </td>
      <td className="num dim-2">{waited(run, now) ?? '–'}</td>
      <td className="num">{took(run, now) ?? '–'}</td>
      <td className="dim-2" title={causeTitle(run, entry)}>
        {cause(run, entry)}
      </td>
    </tr>
  );
}

/** The whole cell selects: the box alone is a small thing to hit. */
function SelectCell({ run, selected, onSelect }: { run: Run; selected: boolean; onSelect: (range: boolean) => void }) {
  const select = (event: MouseEvent) => {
    event.stopPropagation();
    onSelect(event.shiftKey);
  };
  return (
    <td className={classes.select} onClick={select}>
      <input type="checkbox" checked={selected} onChange={() => undefined} aria-label={`Select ${shortId(run.run_id)}`} />
    </td>
  );
}

function RunTags({ run }: { run: Run }) {
  return (
    <>
      {ownTags(run.tags).map(([key, value]) => (
        <TagChip key={key} name={key} value={value} />
      ))}
      {run.priority !== 0 && <TagChip name={PRIORITY_TAG} value={String(run.priority)} />}
    </>
  );
}
