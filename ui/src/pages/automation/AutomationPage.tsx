import { useState } from 'react';
import { useInstigators } from '../../api/queries';
import type { Instigator, InstigatorKind } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { relative } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { count } from '../../lib/words';
import { AutomationTable } from './AutomationTable';
import { nextTick, sorted, type Item } from './items';

export function AutomationPage() {
  const schedules = useInstigators('schedules');
  const sensors = useInstigators('sensors');
  const [refusal, setRefusal] = useState<string | null>(null);
  const items = sorted([...itemsOf('schedules', schedules.data), ...itemsOf('sensors', sensors.data)]);
  return (
    <>
      <PageHead title="Automation" name="Automation" aside={items.length > 0 && <Next items={items} />}>
        {items.length > 0 && `${count(schedules.data?.length ?? 0, 'schedule')}, ${count(sensors.data?.length ?? 0, 'sensor')}`}
      </PageHead>
      {refusal && <Notice tone="fail">{refusal}</Notice>}
      <Loaded query={schedules}>
        {() => (
          <Loaded query={sensors}>
            {() => (items.length ? <AutomationTable items={items} onRefusal={setRefusal} /> : <NoAutomation />)}
          </Loaded>
        )}
      </Loaded>
    </>
  );
}

function itemsOf(kind: InstigatorKind, found: Instigator[] | undefined): Item[] {
  return (found ?? []).map((instigator) => ({ kind, instigator }));
}

function Next({ items }: { items: Item[] }) {
  const now = useNow();
  const coming = items
    .flatMap((item) => {
      const at = nextTick(item.instigator);
      return at === null ? [] : [{ at, name: item.instigator.name }];
    })
    .sort((a, b) => a.at - b.at);
  const [next] = coming;
  if (!next) return <span>Nothing is on</span>;
  return (
    <span>
      Next tick <b className="strong">{next.name}</b> {relative(Math.max(next.at, now), now)}
    </span>
  );
}

function NoAutomation() {
  return (
    <EmptyState title="No schedule and no sensor">
      The code locations define neither. A schedule asks for runs at set times, a sensor when something outside has happened.
    </EmptyState>
  );
}
