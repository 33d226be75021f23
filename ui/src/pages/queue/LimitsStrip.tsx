import type { Limit } from '../../api/queueTypes';
import { Wagons } from '../../components/Wagons';
import { limitName, withSlots } from './limitWords';
import classes from './LimitsStrip.module.css';

/** On a phone: run slots and the limits that are full, side by side on top. */
export function LimitsStrip({ limits }: { limits: Limit[] }) {
  const shown = withSlots(limits).filter((limit) => limit.full || limit.kind === 'max_concurrent_runs');
  if (shown.length === 0) return null;
  return (
    <ul className={classes.strip} aria-label="Limits in use">
      {shown.map((limit) => (
        <li key={limit.rule}>
          <span>
            {limitName(limit)}{' '}
            <b className={limit.full ? 'wait' : 'dim-2'}>
              {limit.used}/{limit.limit}
            </b>
          </span>
          <Wagons limit={limit.limit ?? 0} used={limit.used} waiting={limit.waiting} small />
        </li>
      ))}
    </ul>
  );
}
