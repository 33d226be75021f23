import type { ReactNode } from 'react';
import type { Tone } from '../lib/status';
import classes from './Notice.module.css';

/** A sentence that stays in place: an error of the server's, a warning, what to do. */
export function Notice({ tone, children, action }: { tone: Tone; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={`${classes.notice} ${classes[tone] ?? ''}`} role={tone === 'fail' ? 'alert' : 'status'}>
      <span>{children}</span>
      {action}
    </div>
  );
}
