import { Link } from 'react-router';
import { shortId } from '../lib/words';

/** A run's short id as a link inside a sentence. */
export function RunLink({ runId }: { runId: string }) {
  return (
    <Link to={`/runs/${runId}`} className="mono link" title={runId} onClick={(event) => event.stopPropagation()}>
      {shortId(runId)}
    </Link>
  );
}
