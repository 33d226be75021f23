import type { Limit } from '../../api/types';
import { RunLink } from '../../components/RunLink';
import { Wagons } from '../../components/Wagons';
import { isFull, limitName, usage } from './limitWords';
import classes from './LimitsPanel.module.css';

const HOLDERS_SHOWN = 3;

/** Every limit as a track with wagons. */
export function LimitsPanel({ limits }: { limits: Limit[] }) {
  return (
    <section className={classes.panel} aria-label="Limits in use">
      <header className={classes.head}>Limits in use</header>
      {limits.length === 0 && <p className={classes.none}>No limit is set: everything that waits for nothing else starts at once.</p>}
      <ul>
        {limits.map((limit) => (
          <li key={`${limit.kind} ${limit.rule}`}>
            <div className={classes.line}>
              <b>{limitName(limit)}</b>
              <span className={isFull(limit) ? 'wait strong' : 'dim-2'}>{usage(limit)}</span>
            </div>
            <div className={classes.line}>
              <Wagons limit={limit.limit} used={limit.used} waiting={limit.waiting} />
              {limit.waiting > 0 && <span className="dim-2">{limit.waiting} waiting</span>}
            </div>
            {isFull(limit) && limit.kind !== 'max_concurrent_runs' && <Holders limit={limit} />}
          </li>
        ))}
      </ul>
      <Legend />
    </section>
  );
}

function Holders({ limit }: { limit: Limit }) {
  if (limit.holders.length === 0) return null;
  const more = limit.holders.length - HOLDERS_SHOWN;
  return (
    <div className={classes.holders}>
      Held by{' '}
      {limit.holders.slice(0, HOLDERS_SHOWN).map((id) => (
        <span key={id}>
          <RunLink runId={id} />{' '}
        </span>
      ))}
      {more > 0 && `and ${more} more`}
    </div>
  );
}

function Legend() {
  return (
    <footer className={classes.legend} aria-hidden="true">
      <span>
        <i className={classes.used} /> in use
      </span>
      <span>
        <i className={classes.free} /> free
      </span>
      <span>
        <i className={classes.stop} /> limit
      </span>
      <span>
        <i className={classes.waiting} /> waiting
      </span>
    </footer>
  );
}
