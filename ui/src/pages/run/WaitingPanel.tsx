import { Link } from 'react-router';
import { useExplained } from '../../api/queueQueries';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { ReasonText } from '../../components/ReasonText';
import { reasonLook } from '../../lib/status';
import { clock, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { count } from '../../lib/words';
import classes from './WaitingPanel.module.css';

/** Why a queued run waits, and its place. */
export function WaitingPanel({ run }: { run: Run }) {
  const now = useNow();
  const entry = useExplained(run.run_id).data;
  if (!entry || entry.reason.kind === 'status') return null;
  const start = millis(entry.estimated_start);
  return (
    <section className={classes.panel} aria-label="Why it waits">
      <StateWord look={reasonLook(entry.reason)} />
      <span>
        <ReasonText reason={entry.reason} />
      </span>
      {start !== null && <span className="dim-2">Starts about {clock(start, now)}.</span>}
      {entry.overtaken.starving && <span className="dim-2">{count(entry.overtaken.total, 'run')} overtook it.</span>}
      <Link className="link" to="/queue">
        {entry.forecast_position ? `Place ${entry.forecast_position} in the queue` : 'In the queue'}
      </Link>
    </section>
  );
}
