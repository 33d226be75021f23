import type { Waits } from '../../../api/simulateTypes';
import { duration } from '../../../lib/time';
import { grouped, signed } from '../../../lib/words';
import classes from './WhatIf.module.css';

interface WaitsTableProps {
  recorded: Waits[] | null;
  before: Waits[];
  after: Waits[] | null;
}

const keyOf = (waits: Waits) => `${waits.by} ${waits.value}`;

/** Waiting times of all runs, by priority, by job and by tag: as it was, before and after. */
export function WaitsTable({ recorded, before, after }: WaitsTableProps) {
  const was = new Map((recorded ?? []).map((waits) => [keyOf(waits), waits]));
  const will = new Map((after ?? []).map((waits) => [keyOf(waits), waits]));
  return (
    <div className={classes.scroll}>
      <table className={`table ${classes.table}`} aria-label="Waiting times">
        <thead>
          <tr>
            <th className={classes.what}>Time from being asked for to being launched</th>
            <th className="num">Runs</th>
            <th className="num minor" title="What really happened">
              Recorded
            </th>
            <th className="num">Median</th>
            {after && <th className="num">after</th>}
            <th className="num">95 of 100</th>
            {after && <th className="num">after</th>}
            <th className="num">Longest</th>
            {after && <th className="num">after</th>}
            <th className="num">Never start</th>
            {after && <th className="num">after</th>}
          </tr>
        </thead>
        <tbody>
          {before.map((waits) => (
            <Row key={keyOf(waits)} waits={waits} was={was.get(keyOf(waits))} will={after ? (will.get(keyOf(waits)) ?? null) : undefined} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** `will` undefined: there is no after; null: nothing of this is left there. */
function Row({ waits, was, will }: { waits: Waits; was: Waits | undefined; will: Waits | null | undefined }) {
  const all = waits.by === 'all';
  return (
    <tr>
      <td className={all ? 'strong' : 'name'} title={waitsName(waits)}>
        {waitsName(waits)}
      </td>
      <td className="num">{grouped(waits.runs)}</td>
      <td className="num minor dim-2">{span(was?.median)}</td>
      {(['median', 'p95', 'max'] as const).map((key) => (
        <Pair key={key} before={waits[key]} after={will === undefined ? undefined : (will?.[key] ?? null)} show={span} />
      ))}
      <Pair before={waits.never_started} after={will === undefined ? undefined : (will?.never_started ?? null)} show={amount} />
    </tr>
  );
}

interface PairProps {
  before: number | null;
  after: number | null | undefined;
  show: (value: number | null | undefined) => string;
}

function Pair({ before, after, show }: PairProps) {
  const tone = after == null || before == null || show(after) === show(before) ? 'dim-2' : after < before ? 'ok strong' : 'wait strong';
  return (
    <>
      <td className="num">{show(before)}</td>
      {after !== undefined && <td className={`num ${tone}`}>{show(after)}</td>}
    </>
  );
}

/** `Priority 5`, `team=docs`. */
export function waitsName({ by, value }: Waits): string {
  if (by === 'all') return 'All runs';
  if (by === 'priority') return `Priority ${signed(Number(value))}`;
  if (by === 'job') return value ?? 'no job';
  const key = by.replace(/^runyard\//, '');
  return value === null ? `no ${key}` : `${key}=${value}`;
}

const span = (seconds: number | null | undefined) => (seconds == null ? '–' : duration(seconds * 1000));
const amount = (value: number | null | undefined) => (value == null ? '–' : grouped(value));
