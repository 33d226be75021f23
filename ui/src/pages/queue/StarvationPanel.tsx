import type { QueueSummary, Starvation } from '../../api/queueTypes';
import { Glyph } from '../../components/Glyph';
import { RunLink } from '../../components/RunLink';
import classes from './Panels.module.css';

const NAMED = 2;

/** Limits that the same runs keep full for long, and runs that others overtake. */
export function StarvationPanel({ summary }: { summary: QueueSummary }) {
  return (
    <section className={classes.panel} aria-label="Who starves whom">
      <h2>Who starves whom</h2>
      {summary.starvation.length === 0 && (
        <p className="dim-2">Nobody. No limit has been held for 5 minutes by the same runs while others wait, and no run is overtaken again and again.</p>
      )}
      <ul className={classes.lines}>
        {summary.starvation.map((line) => (
          <li key={line.message}>
            <Glyph name={line.kind === 'held_long' ? 'blocked' : 'ring'} tone={line.kind === 'held_long' ? 'wait' : 'idle'} />
            <Sentence line={line} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sentence({ line }: { line: Starvation }) {
  const [before, after] = line.rule ? split(line.message, line.rule) : [line.message, null];
  return (
    <span>
      {before}
      {after !== null && (
        <>
          <b className="strong">{line.rule}</b>
          {after}
        </>
      )}
      {line.kind === 'held_long' &&
        line.by.slice(0, NAMED).map((id) => (
          <span key={id}>
            {' '}
            <RunLink runId={id} />
          </span>
        ))}
    </span>
  );
}

function split(message: string, rule: string): [string, string | null] {
  const at = message.indexOf(rule);
  return at < 0 ? [message, null] : [message.slice(0, at), message.slice(at + rule.length)];
}
