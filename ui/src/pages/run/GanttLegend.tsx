import type { SegmentKind, StepRow } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import classes from './Gantt.module.css';

const KINDS: [SegmentKind, string][] = [
  ['start-up', 'start-up'],
  ['pool-wait', 'pool waiting'],
  ['work', 'work'],
  ['running', 'running'],
  ['failed', 'failed attempt'],
  ['retry-wait', 'retry waiting'],
  ['canceled', 'canceled'],
];

/** What the bars mean, with the sum over all steps of what was spent on each. */
export function GanttLegend({ rows, path }: { rows: StepRow[]; path: boolean }) {
  const spent = new Map<SegmentKind, number>();
  for (const { kind, from, to } of rows.flatMap((row) => row.segments)) spent.set(kind, (spent.get(kind) ?? 0) + to - from);
  return (
    <>
      {KINDS.filter(([kind]) => spent.has(kind)).map(([kind, word]) => (
        <span key={kind}>
          <i className={`${classes.key} ${classes[kind]}`} />
          {word} {duration(spent.get(kind) ?? 0)}
        </span>
      ))}
      {path && (
        <span>
          <i className={`${classes.key} ${classes.pathKey}`} />
          critical path
        </span>
      )}
    </>
  );
}
