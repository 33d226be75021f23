import classes from './LimitsPanel.module.css';

/** What the wagons mean. */
export function Legend() {
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
