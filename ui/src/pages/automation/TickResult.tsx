import type { Tick } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { RunLink } from '../../components/RunLink';
import { tickLook } from '../../lib/status';
import { count, firstLine } from '../../lib/words';
import classes from './Automation.module.css';

const LINKS = 2;

/** What a tick did, in one line. */
export function TickResult({ tick, on = true }: { tick: Tick | null; on?: boolean }) {
  if (!tick) {
    return (
      <span className={`${classes.result} dim`}>
        <Glyph name={on ? 'future' : 'off'} />
        {on ? 'No tick yet' : 'Off'}
      </span>
    );
  }
  const look = tickLook(tick.status);
  return (
    <span className={classes.result} title={tick.error ? `${tick.error.error_class}: ${tick.error.message}` : (tick.skip_reason ?? undefined)}>
      <Glyph name={look.glyph} tone={look.tone} />
      <Said tick={tick} />
    </span>
  );
}

function Said({ tick }: { tick: Tick }) {
  if (tick.error) {
    return (
      <span className="mono fail">
        {tick.error.error_class}: {firstLine(tick.error.message)}
      </span>
    );
  }
  if (tick.run_ids.length > 0) {
    return (
      <>
        {count(tick.run_ids.length, 'run')}{' '}
        {tick.run_ids.slice(0, LINKS).map((id) => (
          <span key={id}>
            <RunLink runId={id} />{' '}
          </span>
        ))}
      </>
    );
  }
  if (tick.status === 'SKIPPED') return <span className="dim-2">Skipped{tick.skip_reason && `: ${firstLine(tick.skip_reason)}`}</span>;
  return <span className="dim-2">{tickLook(tick.status).word}</span>;
}
