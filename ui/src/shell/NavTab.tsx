import { Link } from 'react-router';
import { grouped } from '../lib/words';
import classes from './NavTab.module.css';

interface NavTabProps {
  to: string;
  label: string;
  active: boolean;
  count?: number;
}

/** A tab of the top bar; the open one stands in a passing loop that leaves the bar's edge and joins it again. */
export function NavTab({ to, label, active, count }: NavTabProps) {
  return (
    <Link to={to} className={`${classes.tab} ${active ? classes.active : ''}`} aria-current={active ? 'page' : undefined}>
      {label}
      {count ? <span className={classes.count}>{grouped(count)}</span> : null}
      {active && <PassingLoop />}
    </Link>
  );
}

function PassingLoop() {
  return (
    <span className={classes.loop} aria-hidden="true">
      <svg viewBox="0 0 8 8" width="8" height="8">
        <path d="M0 7h1.500L7 1h1" />
      </svg>
      <i />
      <svg viewBox="0 0 8 8" width="8" height="8">
        <path d="M0 1h1L6.500 7H8" />
      </svg>
    </span>
  );
}
