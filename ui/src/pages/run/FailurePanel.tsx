import type { ErrorInfo, Run, RunEvent } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { LibraryFrames } from '../../components/LibraryFrames';
import { errorOf, failureEvent } from '../../lib/events';
import { parseFrames, shortPath, traceParts, type TracePart } from '../../lib/frames';
import { firstLine } from '../../lib/words';
import classes from './FailurePanel.module.css';

/** Failure first: the exception as raised, the person's own code, the frames that lead there. */
export function FailurePanel({ run, events }: { run: Run; events: RunEvent[] }) {
  const event = failureEvent(events);
  const error = event ? errorOf(event) : null;
  const step = run.failure?.step_key ?? event?.step_key ?? null;
  const tries = triesOf(step, events);
  const frames = error ? parseFrames(error.stack) : [];
  const own = frames[frames.length - 1];
  const name = error?.error_class ?? run.failure?.error_class ?? 'Failure';
  const message = error?.message ?? run.failure?.message ?? event?.message ?? '';
  const rest = [...message.split('\n').slice(1), ...(error?.notes ?? [])].join('\n');
  return (
    <section className={classes.panel} aria-label="Why it failed">
      <div className={classes.what}>
        <p>
          <Glyph name="cross" tone="fail" /> <b className="strong">{step ?? 'The run'}</b>{' '}
          <span className="dim-2">{tries > 1 ? `failed on attempt ${tries} of ${tries}` : 'failed'}</span>
        </p>
        <p className={classes.exception}>
          {name}
          {message && `: ${firstLine(message)}`}
        </p>
        {rest && <pre className={classes.rest}>{rest}</pre>}
        {own && (
          <p>
            <span className="dim-2">In your code: </span>
            <span className="mono" title={own.file}>
              {shortPath(own.file)}:{own.line}
            </span>{' '}
            <span className="mono dim">{own.function}</span>
          </p>
        )}
        {error?.members?.map((member, index) => <Cause key={index} word="With" error={member} />)}
        {error && causesOf(error).map((cause, index) => <Cause key={index} word="Caused by" error={cause} />)}
      </div>
      {error && frames.length > 0 && <Frames parts={traceParts(error)} />}
    </section>
  );
}

/** How often the step was tried; the run, when it was no step that failed. */
function triesOf(step: string | null, events: RunEvent[]): number {
  if (step === null) return 1;
  return 1 + events.filter((event) => event.step_key === step && event.type === 'STEP_UP_FOR_RETRY').length;
}

/** The causes of an exception, the nearest first. */
function causesOf(error: ErrorInfo): ErrorInfo[] {
  return error.cause ? [error.cause, ...causesOf(error.cause)] : [];
}

function Cause({ word, error }: { word: string; error: ErrorInfo }) {
  const own = parseFrames(error.stack).at(-1);
  return (
    <p className={classes.cause}>
      <span className="dim-2">{word} </span>
      <span className="mono fail">
        {error.error_class}: {firstLine(error.message)}
      </span>
      {own && (
        <span className="mono dim">
          {' '}
          {shortPath(own.file)}:{own.line} {own.function}
        </span>
      )}
      {error.notes?.map((note, index) => (
        <span key={index} className="dim">
          {' '}
          {firstLine(note)}
        </span>
      ))}
    </p>
  );
}

function Frames({ parts }: { parts: TracePart[] }) {
  const last = parts.findLastIndex((part) => 'own' in part);
  return (
    <ol className={classes.frames} aria-label="Your frames, the last call last">
      {parts.map((part, index) => (
        <li key={index} className={index === last ? classes.last : ''}>
          {'own' in part ? <OwnFrame text={part.own} /> : 'library' in part ? <LibraryFrames frames={part.library} /> : <span className="dim">{part.remark}</span>}
        </li>
      ))}
    </ol>
  );
}

function OwnFrame({ text }: { text: string }) {
  const frame = parseFrames([text])[0];
  if (!frame) return <code>{text}</code>;
  return (
    <>
      <span className={classes.place} title={`${frame.file}:${frame.line}`}>
        {shortPath(frame.file)}:{frame.line} <b>{frame.function}</b>
      </span>
      <code>{frame.code}</code>
    </>
  );
}
