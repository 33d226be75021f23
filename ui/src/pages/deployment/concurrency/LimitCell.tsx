import { NumberInput } from '@mantine/core';
import { useState, type KeyboardEvent } from 'react';
import type { LimitRow } from './limitRows';
import classes from './Concurrency.module.css';

interface LimitCellProps {
  row: LimitRow;
  editing: boolean;
  onEdit: () => void;
  onDone: (limit: number | null) => void;
}

/** A limit; while it is edited, a field. Enter sets it, Escape leaves it as it is. */
export function LimitCell({ row, editing, onEdit, onDone }: LimitCellProps) {
  if (editing) return <LimitField row={row} onDone={onDone} />;
  const shown = row.limit === null || row.limit < 0 ? 'none' : row.limit;
  if (!row.settable) return <>{shown}</>;
  const boxed = row.settable.kind === 'pool' || row.settable.origin === 'set';
  return (
    <button
      type="button"
      className={`${classes.limit} ${boxed ? classes.boxed : ''}`}
      onClick={onEdit}
      aria-label={`Limit of ${row.title}: ${shown}, change it`}
    >
      {shown}
    </button>
  );
}

function LimitField({ row, onDone }: Pick<LimitCellProps, 'row' | 'onDone'>) {
  const [value, setValue] = useState<number | string>(row.limit ?? '');
  const finish = () => onDone(typeof value === 'number' && value !== row.limit ? value : null);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') finish();
    if (event.key === 'Escape') onDone(null);
  };
  return (
    <NumberInput
      className={classes.field}
      value={value}
      onChange={setValue}
      onBlur={finish}
      onKeyDown={press}
      min={row.settable?.kind === 'runs' ? -1 : 0}
      allowDecimal={false}
      autoFocus
      onFocus={(event) => event.currentTarget.select()}
      styles={{ input: { height: 24, minHeight: 24, padding: '0 20px 0 5px', textAlign: 'right' } }}
      aria-label={`Limit of ${row.title}`}
    />
  );
}
