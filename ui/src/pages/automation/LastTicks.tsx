import { useTicks } from '../../api/queries';
import type { Tick } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { Traceback } from '../../components/Traceback';
import { fullTime, millis, preciseClock } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { capitalised } from '../../lib/words';
import type { Item } from './items';
import { TickResult } from './TickResult';
import { inARow } from './tickWords';
import classes from './Automation.module.css';

const SHOWN = 20;

/** The last ticks of one schedule or sensor, newest first. */
export function LastTicks({ item }: { item: Item }) {
  const query = useTicks(item.kind, item.instigator, SHOWN);
  const now = useNow();
  const { problem, last_tick: last } = item.instigator;
  if (last === null) return problem === null ? <p className="dim-2">It has not ticked yet.</p> : <p className="fail">{problem}</p>;
  return (
    <Loaded query={query}>
      {(ticks) => (
        <>
          {problem !== null && <p className="fail">{problem}</p>}
          <ol className={classes.ticks}>
            {ticks.map((tick) => {
              const at = millis(tick.time);
              return (
                <li key={tick.tick_id}>
                  <span className="mono dim-2" title={at === null ? undefined : fullTime(at)}>
                    {at !== null && preciseClock(at)}
                  </span>
                  {tick.error ? <Failure tick={tick} now={now} /> : <TickResult tick={tick} />}
                </li>
              );
            })}
          </ol>
        </>
      )}
    </Loaded>
  );
}

function Failure({ tick, now }: { tick: Tick; now: number }) {
  const words = inARow(tick, now);
  return (
    <div>
      {words && <p className="dim-2">{capitalised(words)}</p>}
      {tick.error && <Traceback error={tick.error} />}
    </div>
  );
}
