import { MOST_ENTRIES } from '../../api/queueQueries';
import { grouped } from '../../lib/words';
import classes from './QueuePage.module.css';

interface QueueFootProps {
  /** Entries that were asked for. */
  limit: number;
  here: number;
  depth: number;
  onMore: () => void;
}

/** What is not shown, and how to come to it. */
export function QueueFoot({ limit, here, depth, onMore }: QueueFootProps) {
  if (here >= depth) return null;
  return (
    <p className={classes.foot}>
      The first {grouped(here)} of {grouped(depth)} are here.{' '}
      {limit < MOST_ENTRIES ? (
        <button type="button" onClick={onMore}>
          Show more
        </button>
      ) : (
        'That is as far as the forecast looks; a filter finds and steers the others.'
      )}
    </p>
  );
}
