import { NumberInput, TextInput } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { PRIORITY_TAG } from '../../lib/tags';
import type { TagRow } from './tagDraft';
import classes from './TagsDialog.module.css';

interface TagRowViewProps {
  row: TagRow;
  /** The server's sentence, when it would refuse this tag. */
  refusal: string | null;
  onSet: (value: string | null) => void;
}

/** One tag: what the definition says and what this run says instead. */
export function TagRowView({ row, refusal, onSet }: TagRowViewProps) {
  const isPriority = row.key === PRIORITY_TAG;
  return (
    <div className={classes.row}>
      <b className="mono">{row.key}</b>
      <span className="mono">{row.defined === null ? '–' : row.own === null ? row.defined : <s>{row.defined}</s>}</span>
      <span>
        {isPriority ? <PriorityField row={row} wrong={refusal !== null} onSet={onSet} /> : <TextField row={row} wrong={refusal !== null} onSet={onSet} />}
      </span>
      <RowAct row={row} onSet={onSet} />
      {isPriority && !refusal && <span className={classes.hint}>Whole number; higher starts first. 0 when not set.</span>}
      {refusal && (
        <span className={classes.refusal} role="alert">
          {refusal}
        </span>
      )}
    </div>
  );
}

interface FieldProps {
  row: TagRow;
  wrong: boolean;
  onSet: (value: string | null) => void;
}

function PriorityField({ row, wrong, onSet }: FieldProps) {
  // As text: a value from elsewhere may be no number at all, and the server's reason is what helps then.
  return (
    <NumberInput
      w={164}
      value={row.own ?? row.defined ?? ''}
      onChange={(value) => onSet(value === '' ? null : String(value))}
      placeholder="0"
      allowDecimal={false}
      error={wrong}
      aria-label="Priority"
      data-autofocus
    />
  );
}

function TextField({ row, wrong, onSet }: FieldProps) {
  if (row.own === null) return <span className="dim-2">as defined</span>;
  return (
    <TextInput
      value={row.own}
      onChange={(event) => onSet(event.currentTarget.value)}
      error={wrong}
      aria-label={`Value of ${row.key}`}
    />
  );
}

function RowAct({ row, onSet }: Omit<FieldProps, 'wrong'>) {
  if (row.own !== null && row.defined !== null) {
    return (
      <button type="button" className={classes.act} onClick={() => onSet(null)}>
        <IconArrowBackUp size={13} stroke={1.7} /> Back to {row.defined}
      </button>
    );
  }
  if (row.own !== null) {
    return (
      <button type="button" className={classes.act} onClick={() => onSet(null)}>
        Remove
      </button>
    );
  }
  if (row.key === PRIORITY_TAG) return <span />;
  return (
    <button type="button" className={classes.act} onClick={() => onSet(row.defined ?? '')}>
      Override
    </button>
  );
}
