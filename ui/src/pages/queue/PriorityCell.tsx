import { NumberInput } from '@mantine/core';
import { useState, type KeyboardEvent } from 'react';
import type { QueueEntry } from '../../api/queueTypes';
import { signed } from '../../lib/words';
import classes from './QueueTable.module.css';

/** A run's priority; a click makes it a field. Enter sets it, Escape leaves it. */
export function PriorityCell({ entry, onSet }: { entry: QueueEntry; onSet: (value: number) => void }) {
  const [value, setValue] = useState<number | string | null>(null);
  if (value === null) {
    return (
      <button
        type="button"
        className={classes.set}
        onClick={() => setValue(entry.priority)}
        aria-label={`Priority ${entry.priority}, change it`}
      >
        {signed(entry.priority)}
      </button>
    );
  }
  const finish = () => {
    if (typeof value === 'number' && value !== entry.priority) onSet(value);
    setValue(null);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') finish();
    if (event.key === 'Escape') setValue(null);
  };
  return (
    <NumberInput
      className={classes.input}
      value={value}
      onChange={setValue}
      onBlur={finish}
      onKeyDown={press}
      allowDecimal={false}
      hideControls
      autoFocus
      onFocus={(event) => event.currentTarget.select()}
      styles={{ input: { height: 22, minHeight: 22, padding: '0 5px', textAlign: 'right' } }}
      aria-label={`Priority of ${entry.job_name}`}
    />
  );
}
