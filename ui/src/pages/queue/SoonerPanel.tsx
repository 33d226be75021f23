import { Link } from 'react-router';
import { useExplained } from '../../api/queueQueries';
import type { Alternative, QueueEntry } from '../../api/queueTypes';
import { clock, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { shortId } from '../../lib/words';
import type { QueueActs } from './useQueueActs';
import classes from './Panels.module.css';

/** What would start a run sooner, each forecast by the code that admits runs. */
export function SoonerPanel({ entry, acts }: { entry: QueueEntry | undefined; acts: QueueActs }) {
  const found = useExplained(entry?.run_id ?? null).data?.sooner ?? [];
  return (
    <section className={classes.panel} aria-label="What would start it sooner">
      <h2>{entry ? `What would start ${entry.job_name} sooner` : 'What would start a run sooner'}</h2>
      {!entry && <p className="dim-2">Choose a run to see what a higher priority, one place more or a cancellation would do for it.</p>}
      {entry && found.length === 0 && <p className="dim-2">{nothing(entry)}</p>}
      {entry && found.length > 0 && <Alternatives found={found} entry={entry} acts={acts} />}
    </section>
  );
}

function nothing(entry: QueueEntry): string {
  if (entry.reason.needs_action) return 'It waits for a person: nothing else would start it.';
  return `${shortId(entry.run_id)} is beyond the first 1,000 starts, as far as the forecast looks.`;
}

export function Alternatives({ found, entry, acts }: { found: Alternative[]; entry: QueueEntry; acts: QueueActs }) {
  const now = useNow();
  return (
    <table className={classes.sooner}>
      <tbody>
        {found.map((alternative) => {
          const start = millis(alternative.estimated_start);
          const better = (alternative.saves ?? 0) >= 1;
          return (
            <tr key={alternative.title}>
              <td>{titleOf(alternative)}</td>
              <td className="dim-2">{alternative.message}</td>
              <td className={`num ${better ? 'strong' : 'dim-2'}`}>{start === null ? '–' : clock(start, now, { seconds: false })}</td>
              <td className="num">{!acts.readOnly && <Do alternative={alternative} entry={entry} acts={acts} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function titleOf({ kind, title, rule, limit }: Alternative): string {
  return kind === 'limit' && rule === 'max_concurrent_runs' ? `Run slots ${limit}` : title;
}

function Do({ alternative, entry, acts }: { alternative: Alternative; entry: QueueEntry; acts: QueueActs }) {
  const { kind, priority, rule, limit, run_id: runId } = alternative;
  if (kind === 'priority' && priority !== null) {
    return (
      <button type="button" className={classes.link} onClick={() => acts.setPriority(entry, priority)}>
        Set
      </button>
    );
  }
  if (kind === 'limit' && rule) {
    return (
      <Link className="link" to={`/queue/what-if?${new URLSearchParams({ rule, limit: String(limit) })}`}>
        Simulate
      </Link>
    );
  }
  if (kind === 'cancel' && runId) {
    return (
      <Link className="link" to={`/runs/${runId}`}>
        Open
      </Link>
    );
  }
  return null;
}
