import { Link } from 'react-router';
import type { QueueEntry } from '../../api/queueTypes';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { runLook } from '../../lib/status';
import { clock, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { cause } from './cause';
import { took } from './runTimes';

interface RunsListProps {
  runs: Run[];
  queue: Map<string, QueueEntry>;
  more: boolean;
  onEnd: () => void;
}

/** Runs on a phone: name and time, then state, cause and duration. */
export function RunsList({ runs, queue, more, onEnd }: RunsListProps) {
  const now = useNow();
  return (
    <ul className="rows">
      {runs.map((run) => {
        const entry = queue.get(run.run_id);
        return (
          <li key={run.run_id}>
            <Link to={`/runs/${run.run_id}`}>
              <span className="first">
                <b className="strong grow cut">{run.job_name}</b>
                <span>{clock(millis(run.created_at) ?? now, now)}</span>
              </span>
            </Link>
            <span className="second">
              <StateWord look={runLook(run.status, entry?.reason)} />
              <span className="grow cut">{cause(run, entry)}</span>
              <span className="dim">{took(run, now)}</span>
            </span>
          </li>
        );
      })}
      {more && (
        <li>
          <button type="button" onClick={onEnd}>
            Older runs
          </button>
        </li>
      )}
    </ul>
  );
}
