import { Fragment, useState } from 'react';
import { useSwitch } from '../../api/actions';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import { useCursor } from '../../keys/useCursor';
import { usePageKeys } from '../../keys/usePageKeys';
import { useMedium, useNarrow } from '../../lib/useNarrow';
import { AutomationItem } from './AutomationItem';
import { AutomationRow } from './AutomationRow';
import { idOf, isOn, type Item } from './items';
import { LastTicks } from './LastTicks';
import classes from './Automation.module.css';

interface AutomationTableProps {
  items: Item[];
  onRefusal: (message: string | null) => void;
}

export function AutomationTable({ items, onRefusal }: AutomationTableProps) {
  const [open, setOpen] = useState<string | null>(null);
  const cursor = useCursor(items, idOf);
  const switches = { schedules: useSwitch('schedules'), sensors: useSwitch('sensors') };
  const readOnly = useInstance().data?.read_only ?? false;
  const narrow = useNarrow();
  const medium = useMedium();

  const toggle = (item: Item) => {
    const told = { onError: (error: Error) => onRefusal(messageOf(error)), onSuccess: () => onRefusal(null) };
    if (!readOnly && item.instigator.problem === null) switches[item.kind].mutate({ instigator: item.instigator, on: !isOn(item.instigator) }, told);
  };
  const unfold = (id: string) => setOpen((now) => (now === id ? null : id));
  usePageKeys([
    cursor.move,
    { on: [' '], show: ['Space'], label: 'on or off', act: () => cursor.row && toggle(cursor.row) },
    { on: ['Enter'], show: ['Enter'], label: 'ticks', act: () => cursor.id && unfold(cursor.id) },
  ]);

  if (narrow) {
    return (
      <ul className="rows">
        {items.map((item) => (
          <AutomationItem key={idOf(item)} item={item} readOnly={readOnly} onToggle={() => toggle(item)} />
        ))}
      </ul>
    );
  }
  return (
    <table className="table tall">
      <Columns />
      <tbody>
        {items.map((item) => {
          const id = idOf(item);
          return (
            <Fragment key={id}>
              <AutomationRow
                item={item}
                open={open === id}
                cursor={cursor.id === id}
                readOnly={readOnly}
                onCursor={() => cursor.set(id)}
                onToggle={() => toggle(item)}
                onUnfold={() => unfold(id)}
              />
              {open === id && (
                <tr className="plain">
                  <td colSpan={medium ? 6 : 8} className={classes.unfolded}>
                    <LastTicks item={item} />
                  </td>
                </tr>
              )}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function Columns() {
  return (
    <>
      <colgroup>
        <col className={classes.on} />
        <col className={classes.name} />
        <col className={`${classes.job} minor`} />
        <col className={classes.when} />
        <col className={classes.next} />
        <col className={classes.last} />
        <col />
        <col className={`${classes.strip} minor`} />
      </colgroup>
      <thead>
        <tr>
          <th>On</th>
          <th>Name</th>
          <th className="minor">Job</th>
          <th>When</th>
          <th className="num">Next tick</th>
          <th className="num">Last</th>
          <th>Last result</th>
          <th className="minor">24 ticks</th>
        </tr>
      </thead>
    </>
  );
}
