import { Link } from 'react-router';
import type { QueueEntry } from '../../api/queueTypes';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { TagChip } from '../../components/TagChip';
import { runLook } from '../../lib/status';
import { ownTags, PARTITION_TAG, PRIORITY_TAG, startedBy } from '../../lib/tags';
import { clock, fullTime, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { shortId } from '../../lib/words';
import { cause, causeTitle } from './cause';
import { took, waited } from './runTimes';

interface RunRowProps {
  run: Run;
  entry: QueueEntry | undefined;
  cursor: boolean;
  onCursor: () => void;
}

export function RunRow({ run, entry, cursor, onCursor }: RunRowProps) {
  const now = useNow();
  const created = millis(run.created_at) ?? now;
  return (
    <tr className={cursor ? 'cursor' : ''} onClick={onCursor} data-run={run.run_id}>
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
      <td className="minor" title={ownTags(run.tags).map((tag) => tag.join('=')).join(' ') || undefined}>
        <RunTags run={run} />
      </td>
      <td className="minor dim-2">{startedBy(run.tags) ?? '–'}</td>
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
