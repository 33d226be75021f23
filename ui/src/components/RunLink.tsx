import { Link } from 'react-router';
import { shortId } from '../lib/words';
import classes from './RunLink.module.css';

/** A run's short id as a link inside a sentence. */
export function RunLink({ runId }: { runId: string }) {
  return (
    <Link to={`/runs/${runId}`} className={`mono link ${classes.run}`} title={runId} onClick={(event) => event.stopPropagation()}>
      {shortId(runId)}
    </Link>
  );
}
