import type { Outcome, Waits, WhatIf } from '../../../api/simulateTypes';
import { Notice } from '../../../components/Notice';
import { duration, millis } from '../../../lib/time';
import { count, grouped } from '../../../lib/words';
import { SeriesPicture } from './SeriesPicture';
import { StarvingTable } from './StarvingTable';
import { UtilisationTable } from './UtilisationTable';
import { waitsName, WaitsTable } from './WaitsTable';
import classes from './WhatIf.module.css';

/** A what-if: the answer in a sentence, then the picture, then the figures. */
export function WhatIfResult({ found }: { found: WhatIf }) {
  const { source, before, after } = found;
  const start = millis(before.series.start);
  return (
    <>
      <section className={classes.answer} aria-label="The answer">
        <p>{answer(before, after)}</p>
        <p className="dim-2">
          {count(source.runs, 'run')} played again
          {source.left_out > 0 && `, ${grouped(source.left_out)} left out that never got as far as being launched`}
          {source.assumed_durations > 0 && `, ${grouped(source.assumed_durations)} with the median of their job for a duration that is not known`}.
        </p>
      </section>
      {source.notes.map((note) => (
        <Notice key={note} tone="wait">
          {note}
        </Notice>
      ))}
      <SeriesPicture title="Waiting" start={start} before={before.series} after={after?.series ?? null} of="queued" />
      <SeriesPicture title="Running" start={start} before={before.series} after={after?.series ?? null} of="active" />
      <WaitsTable recorded={found.recorded} before={before.waits} after={after?.waits ?? null} />
      <UtilisationTable before={before.limits} after={after?.limits ?? null} />
      <StarvingTable outcome={after ?? before} isAfter={after !== null} />
    </>
  );
}

const MEASURES = [
  { key: 'median', name: 'The median wait' },
  { key: 'p95', name: 'What 95 of 100 runs wait at most' },
  { key: 'max', name: 'The longest wait' },
] as const;

/** `The median wait falls from 12m 31s to 4s; 3 runs never start, before 10.` The first measure that moves is told. */
function answer(before: Outcome, after: Outcome | null): string {
  const was = allOf(before);
  const is = after ? allOf(after) : undefined;
  const starts = startsWords(before, after);
  if (was?.median == null) return `No run starts under the limits in force${is?.median == null ? '' : `; under the others the median wait is ${seconds(is.median)}`}.`;
  if (!is) return `The median wait is ${seconds(was.median)} under the limits in force${starts}.`;
  const moved = MEASURES.map(({ key, name }) => move(name, was[key], is[key])).find((words) => words !== null);
  return moved ? `${moved}${starts}.` : `${ofSome(before.waits, after?.waits ?? []) ?? 'These limits change no wait'}${starts}.`;
}

function startsWords(before: Outcome, after: Outcome | null): string {
  if (!after || after.never_started === before.never_started) return never(before.never_started);
  return `${never(after.never_started) || '; all start'}, before ${grouped(before.never_started)} never did`;
}

/** Null when it stays as it is. */
function move(what: string, from: number | null, to: number | null): string | null {
  if (from === null || to === null || seconds(from) === seconds(to)) return null;
  return `${what} ${to < from ? 'falls' : 'rises'} from ${seconds(from)} to ${seconds(to)}`;
}

/** The runs whose waits move most, where those of all runs together do not. */
function ofSome(before: Waits[], after: Waits[]): string | null {
  const will = new Map(after.map((waits) => [waitsName(waits), waits.p95]));
  const by = (waits: Waits) => Math.abs((will.get(waitsName(waits)) ?? 0) - (waits.p95 ?? 0));
  const most = [...before].sort((a, b) => by(b) - by(a))[0];
  return most ? move(`${waitsName(most)}: what 95 of 100 runs wait at most`, most.p95, will.get(waitsName(most)) ?? null) : null;
}

const never = (runs: number) => (runs ? `; ${count(runs, 'run')} never start${runs === 1 ? 's' : ''}` : '');
const seconds = (value: number) => duration(value * 1000);
const allOf = (outcome: Outcome) => outcome.waits.find((line) => line.by === 'all');
