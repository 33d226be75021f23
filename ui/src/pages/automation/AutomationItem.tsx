import { Switch } from '@mantine/core';
import { clock } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { isOn, nextTick, when, type Item } from './items';
import { LastResult } from './TickResult';

/** A schedule or sensor on a phone. */
export function AutomationItem({ item, readOnly, onToggle }: { item: Item; readOnly: boolean; onToggle: () => void }) {
  const { instigator } = item;
  const now = useNow();
  const next = nextTick(instigator);
  return (
    <li>
      <span className="first">
        <b className="strong grow cut">{instigator.name}</b>
        <span className="dim-2">{next === null ? when(instigator) : clock(next, now)}</span>
        <Switch checked={isOn(instigator)} disabled={readOnly || instigator.problem !== null} onChange={onToggle} aria-label={`${instigator.name} is on`} />
      </span>
      <span className="second">
        <LastResult instigator={instigator} on={isOn(instigator)} />
      </span>
    </li>
  );
}
