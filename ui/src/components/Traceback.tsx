import type { ErrorInfo } from '../api/types';
import { count } from '../lib/words';
import classes from './Traceback.module.css';

/** An exception as raised, with the person's own frames; library frames are counted and folded. */
export function Traceback({ error }: { error: ErrorInfo }) {
  return (
    <div className={classes.traceback}>
      <p className={classes.exception}>
        {error.error_class}: {error.message}
      </p>
      {error.stack.length > 0 && <pre>{error.stack.join('\n').trimEnd()}</pre>}
      {error.library_frames > 0 && <p className="dim">{count(error.library_frames, 'library frame')} hidden</p>}
      {error.cause && (
        <>
          <p className="dim-2">Caused by</p>
          <Traceback error={error.cause} />
        </>
      )}
    </div>
  );
}
