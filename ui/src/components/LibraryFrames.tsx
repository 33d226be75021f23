import { count } from '../lib/words';
import classes from './LibraryFrames.module.css';

/** Frames of libraries in a row, folded to their number. */
export function LibraryFrames({ frames }: { frames: string[] }) {
  return (
    <details className={classes.library}>
      <summary className="dim">{count(frames.length, 'library frame')}</summary>
      <pre>{frames.join('\n').trimEnd()}</pre>
    </details>
  );
}
