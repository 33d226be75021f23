import { useTicks } from '../../api/queries';
import { Loaded } from '../../components/Loaded';
import { Traceback } from '../../components/Traceback';
import { fullTime, millis, preciseClock } from '../../lib/time';
import type { Item } from './items';
import { TickResult } from './TickResult';
import classes from './Automation.module.css';

const SHOWN = 20;

/** The last ticks of one schedule or sensor, newest first. */
export function LastTicks({ item }: { item: Item }) {
  const query = useTicks(item.kind, item.instigator, SHOWN);
  if (item.instigator.last_tick === null) return <p className="dim-2">It has not ticked yet.</p>;
  return (
    <Loaded query={query}>
      {(ticks) => (
        <ol className={classes.ticks}>
          {ticks.map((tick) => {
            const at = millis(tick.time);
            return (
              <li key={tick.tick_id}>
                <span className="mono dim-2" title={at === null ? undefined : fullTime(at)}>
                  {at !== null && preciseClock(at)}
                </span>
                {tick.error ? <Traceback error={tick.error} /> : <TickResult tick={tick} />}
              </li>
            );
          })}
        </ol>
      )}
    </Loaded>
  );
}
