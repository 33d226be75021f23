import classes from './Wagons.module.css';

/** Above this many a row of wagons says less than a bar. */
const MOST_WAGONS = 20;
const MOST_WAITING = 5;

interface WagonsProps {
  limit: number;
  used: number;
  waiting: number;
  small?: boolean;
}

/** Slots as wagons on a track, the limit as the buffer stop, waiting work behind it. */
export function Wagons({ limit, used, waiting, small = false }: WagonsProps) {
  const sentence = `${used} of ${limit} used, ${waiting} waiting`;
  return (
    <span className={`${classes.track} ${small || limit > 8 ? classes.small : ''}`} role="img" aria-label={sentence}>
      {Math.max(limit, used) > MOST_WAGONS ? <Bar limit={limit} used={used} /> : <Slots limit={limit} used={used} />}
      <i className={classes.stop} />
      {Array.from({ length: Math.min(waiting, MOST_WAITING) }, (_, index) => (
        <i key={index} className={`${classes.wagon} ${classes.waiting}`} />
      ))}
    </span>
  );
}

function Slots({ limit, used }: { limit: number; used: number }) {
  // A limit that was lowered evicts nobody: more may be used than there are slots.
  return Array.from({ length: Math.max(limit, used) }, (_, index) => (
    <i key={index} className={`${classes.wagon} ${index < used ? classes.used : classes.free}`} />
  ));
}

function Bar({ limit, used }: { limit: number; used: number }) {
  return (
    <i className={classes.bar}>
      <i style={{ width: `${Math.min(100, (100 * used) / Math.max(1, limit))}%` }} />
    </i>
  );
}
