import { useState } from 'react';
import { useQueueHistory } from '../../../api/queueQueries';
import { clock, fullTime, millis } from '../../../lib/time';
import { useNow } from '../../../lib/useNow';
import { subjectName } from '../../../lib/words';
import classes from './Concurrency.module.css';

const AT_FIRST = 8;
const MORE = 100;

/** What people did to the queue and its limits, newest first. */
export function RecentChanges() {
  const [limit, setLimit] = useState(AT_FIRST);
  const now = useNow();
  const changes = useQueueHistory(limit).data ?? [];
  return (
    <section className={classes.changes} aria-label="Recent changes">
      <h2>Recent changes</h2>
      {changes.length === 0 && <p className="dim-2">Nobody has changed a limit, paused, held or re-ordered anything yet.</p>}
      <ul>
        {changes.map((change) => {
          const at = millis(change.at) ?? now;
          return (
            <li key={change.id}>
              <span className="dim" title={fullTime(at)}>
                {clock(at, now)}
              </span>
              <span>{change.by}</span>
              <span>{change.action}</span>
              <b className="cut" title={change.subject}>
                {subjectName(change.subject)}
              </b>
              <span className="dim-2 cut" title={change.message}>
                {change.message}
              </span>
            </li>
          );
        })}
      </ul>
      {changes.length === AT_FIRST && (
        <button type="button" className={classes.more} onClick={() => setLimit(MORE)}>
          Show more
        </button>
      )}
    </section>
  );
}
