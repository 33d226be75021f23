import { useTicks } from '../../api/queries';
import type { Tick } from '../../api/types';
import { tickLook } from '../../lib/status';
import { millis, preciseClock } from '../../lib/time';
import { count } from '../../lib/words';
import type { Item } from './items';
import classes from './Automation.module.css';

const SHOWN = 24;

/** The last ticks as bars, the newest on the right; height and colour tell how each went. */
export function TickStrip({ item }: { item: Item }) {
  const ticks = useTicks(item.kind, item.instigator, SHOWN).data ?? [];
  const failed = ticks.filter((tick) => tick.status === 'FAILURE').length;
  return (
    <span className={classes.bars} role="img" aria-label={`${count(ticks.length, 'tick')}, ${failed} failed`}>
      {[...ticks].reverse().map((tick) => (
        <i key={tick.tick_id} className={classes[tick.status]} title={title(tick)} />
      ))}
    </span>
  );
}

function title(tick: Tick): string {
  const at = millis(tick.time);
  return `${at === null ? '' : preciseClock(at)} ${tickLook(tick.status).word}`;
}
