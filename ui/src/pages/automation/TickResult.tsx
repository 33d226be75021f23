import type { Instigator, Tick } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { RunLink } from '../../components/RunLink';
import { tickLook } from '../../lib/status';
import { useNow } from '../../lib/useNow';
import { count, firstLine } from '../../lib/words';
import { droppedWords, failureWords } from './tickWords';
import classes from './Automation.module.css';

const LINKS = 2;

/** Why a schedule or sensor cannot run, else what its last tick did, in one line. */
export function LastResult({ instigator, on }: { instigator: Instigator; on: boolean }) {
  if (instigator.problem === null) return <TickResult tick={instigator.last_tick} on={on} />;
  return (
    <span className={classes.result} title={instigator.problem}>
      <Glyph name="down" tone="fail" />
      <span className="fail">Cannot run: {instigator.problem}</span>
    </span>
  );
}

/** What a tick did, in one line. */
export function TickResult({ tick, on = true }: { tick: Tick | null; on?: boolean }) {
  const now = useNow();
  if (!tick) {
    return (
      <span className={`${classes.result} dim`}>
        <Glyph name={on ? 'future' : 'off'} />
        {on ? 'No tick yet' : 'Off'}
      </span>
    );
  }
  const look = tickLook(tick.status);
  const title = tick.error ? `${tick.error.error_class}: ${tick.error.message}` : (tick.skip_reason ?? (droppedWords(tick) || undefined));
  return (
    <span className={classes.result} title={title}>
      <Glyph name={look.glyph} tone={look.tone} />
      <Said tick={tick} now={now} />
    </span>
  );
}

function Said({ tick, now }: { tick: Tick; now: number }) {
  if (tick.error) return <span className="mono fail">{failureWords(tick, now)}</span>;
  if (tick.run_ids.length > 0) {
    return (
      <>
        {count(tick.run_ids.length, 'run')}{' '}
        {tick.run_ids.slice(0, LINKS).map((id) => (
          <span key={id}>
            <RunLink runId={id} />{' '}
          </span>
        ))}
        <span className="dim-2">{droppedWords(tick)}</span>
      </>
    );
  }
  if (tick.status === 'SKIPPED') return <span className="dim-2">Skipped{tick.skip_reason && `: ${firstLine(tick.skip_reason)}`}</span>;
  return <span className="dim-2">{tickLook(tick.status).word}</span>;
}
