import { Link } from 'react-router';
import type { Limit } from '../../api/queueTypes';
import { RunLink } from '../../components/RunLink';
import { Wagons } from '../../components/Wagons';
import { useNow } from '../../lib/useNow';
import { Legend } from './Legend';
import { limitName, nextFree, usage, waitingWords, withSlots } from './limitWords';
import classes from './LimitsPanel.module.css';

/** Every limit as a track with wagons. */
export function LimitsPanel({ limits }: { limits: Limit[] }) {
  const shown = withSlots(limits);
  return (
    <section className={classes.panel} aria-label="Limits in use">
      <header className={classes.head}>
        Limits in use
        <Link className="link" to="/deployment/concurrency">
          Edit
        </Link>
      </header>
      {shown.length === 0 && <p className={classes.none}>No limit is set: everything that waits for nothing else starts at once.</p>}
      <ul>
        {shown.map((limit) => (
          <li key={`${limit.kind} ${limit.rule}`}>
            <div className={classes.line}>
              <b>{limitName(limit)}</b>
              <span className={limit.full ? 'wait strong' : 'dim-2'}>{usage(limit)}</span>
            </div>
            <div className={classes.line}>
              <Wagons limit={limit.limit ?? 0} used={limit.used} waiting={limit.waiting} />
              {limit.waiting > 0 && <span className="dim-2">{waitingWords(limit)}</span>}
            </div>
            {limit.full && <WhenFree limit={limit} />}
          </li>
        ))}
      </ul>
      <Legend />
    </section>
  );
}

/** `Held by 7c41e09a until about 09:45` for a single holder, else when the first slot comes free. */
function WhenFree({ limit }: { limit: Limit }) {
  const at = nextFree(limit, useNow());
  const [only, ...others] = limit.holders;
  if (only && others.length === 0) {
    return (
      <div className={classes.holders}>
        Held by <RunLink runId={only} />
        {at && ` until about ${at}`}
      </div>
    );
  }
  return at ? <div className={classes.holders}>Next free about {at}</div> : null;
}
