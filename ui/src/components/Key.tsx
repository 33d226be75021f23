import classes from './Key.module.css';

/** A key as it stands on a keyboard. */
export function Key({ children }: { children: string }) {
  return <kbd className={classes.key}>{children}</kbd>;
}
