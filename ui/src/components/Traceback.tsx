import type { ErrorInfo } from '../api/types';
import { traceParts } from '../lib/frames';
import { LibraryFrames } from './LibraryFrames';
import classes from './Traceback.module.css';

/** An exception as raised, with its notes and causes and the members of a group; library frames are folded. */
export function Traceback({ error }: { error: ErrorInfo }) {
  return (
    <div className={classes.traceback}>
      <p className={classes.exception}>{[`${error.error_class}: ${error.message}`, ...(error.notes ?? [])].join('\n')}</p>
      {traceParts(error).map((part, index) =>
        'own' in part ? (
          <pre key={index}>{part.own.trimEnd()}</pre>
        ) : 'library' in part ? (
          <LibraryFrames key={index} frames={part.library} />
        ) : (
          <p key={index} className="dim">{part.remark}</p>
        ),
      )}
      {error.members?.map((member, index) => (
        <div key={index} className={classes.member}>
          <p className="dim-2">
            Member {index + 1} of {error.members?.length}
          </p>
          <Traceback error={member} />
        </div>
      ))}
      {error.cause && (
        <>
          <p className="dim-2">Caused by</p>
          <Traceback error={error.cause} />
        </>
      )}
    </div>
  );
}
