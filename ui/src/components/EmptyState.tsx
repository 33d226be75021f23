import type { ReactNode } from 'react';
import classes from './EmptyState.module.css';

/** What being empty means, what comes next, one action. */
export function EmptyState({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <svg viewBox="0 0 206 56" width="206" height="56" aria-hidden="true">
        <path d="M0 46h205M36 46 69 7h121M53 26h137" />
        <path className={classes.stop} d="M190 2v11M190 21v11M205 40v12" />
      </svg>
      <h2>{title}</h2>
      <div className={classes.text}>{children}</div>
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}
