import { Button, NumberInput, SegmentedControl, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { LimitInForce } from '../../../api/queueTypes';
import type { WhatIfQuestion } from '../../../api/simulateTypes';
import { titleOf } from '../../deployment/concurrency/limitRows';
import { idOf, limitsSection } from './limitsSection';
import classes from './WhatIf.module.css';

const WINDOWS = [
  { value: '1h', label: '1 h' },
  { value: '6h', label: '6 h' },
  { value: '1d', label: '24 h' },
  { value: '7d', label: '7 days' },
  { value: '', label: 'from…' },
];

interface WhatIfFormProps {
  limits: LimitInForce[];
  /** Limits to begin with in place of those in force, by id. */
  given: ReadonlyMap<string, number>;
  busy: boolean;
  onAsk: (question: WhatIfQuestion) => void;
}

/** Which limits would be others, and which part of the past to play again under them. */
export function WhatIfForm({ limits, given, busy, onAsk }: WhatIfFormProps) {
  const [values, setValues] = useState<ReadonlyMap<string, number>>(given);
  const [span, setSpan] = useState('1d');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const section = limitsSection(limits, values);
  const put = (id: string, value: number | string) => {
    const next = new Map(values);
    if (typeof value === 'number') next.set(id, value);
    else next.delete(id);
    setValues(next);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk({ limits: section, from: span || from.trim(), ...(span || !to.trim() ? {} : { to: to.trim() }) });
  };
  return (
    <form className={classes.form} onSubmit={submit} aria-label="What if">
      <h2>Runs of the last</h2>
      <div className={classes.window}>
        <SegmentedControl data={WINDOWS} value={span} onChange={setSpan} />
        {span === '' && (
          <>
            <TextInput label="From" placeholder="2026-11-21T08:00 or 36h ago" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput label="To" placeholder="now" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
          </>
        )}
      </div>
      <h2>Under these limits</h2>
      <ul className={classes.limits}>
        {limits.map((limit) => {
          const id = idOf(limit);
          const value = values.get(id) ?? limit.limit;
          const other = value !== limit.limit;
          return (
            <li key={id}>
              <label htmlFor={`limit ${id}`} title={limit.name}>
                {nameOf(limit)}
              </label>
              {other && <span className={classes.was}>now {limit.limit ?? 'none'}</span>}
              <NumberInput
                id={`limit ${id}`}
                className={`${classes.value} ${other ? classes.other : ''}`}
                value={value ?? ''}
                placeholder="none"
                onChange={(next) => put(id, next)}
                min={limit.kind === 'runs' ? -1 : 0}
                allowDecimal={false}
              />
            </li>
          );
        })}
      </ul>
      <div className={classes.ask}>
        <Button type="submit" variant="filled" loading={busy} disabled={span === '' && !from.trim()}>
          Simulate
        </Button>
        <span className="dim">{section ? '' : 'Nothing is changed yet: this shows what the limits in force do.'}</span>
      </div>
    </form>
  );
}

function nameOf(limit: LimitInForce): string {
  if (limit.kind === 'runs') return 'Run slots';
  if (limit.kind === 'pool') return `pool ${limit.name}`;
  return limit.name.endsWith('=*') ? `${titleOf(limit)}, each value` : titleOf(limit);
}
