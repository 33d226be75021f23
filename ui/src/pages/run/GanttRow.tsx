import { RunLink } from '../../components/RunLink';
import { Glyph } from '../../components/Glyph';
import { total } from '../../lib/gantt/gantt';
import type { Gantt, Segment, StepRow } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import { barLabel } from './barLabel';
import { STEP_LOOKS } from './stepLooks';
import { sentence, withoutTime } from './stepWords';
import classes from './Gantt.module.css';

interface GanttRowProps {
  row: StepRow;
  chart: Gantt;
  /** Pixels that the bars have. */
  width: number;
  critical: boolean;
  chosen: boolean;
  onChoose: () => void;
  /** While steps are chosen to be executed again; otherwise undefined. */
  ticked: boolean | undefined;
  onTick: (range: boolean) => void;
}

/** One step: its name opens its output, its bars tell where its time went. */
export function GanttRow({ row, chart, width, critical, chosen, onChoose, ticked, onTick }: GanttRowProps) {
  const [glyph, tone] = STEP_LOOKS[row.state];
  const spent = total(row);
  const picking = ticked !== undefined;
  const look = [classes.row, row.state === 'failed' && classes.bad, (picking ? ticked : chosen) && classes.chosen];
  return (
    <div className={look.filter(Boolean).join(' ')} data-step={row.key} onClick={(event) => (picking ? onTick(event.shiftKey) : onChoose())}>
      <span className={`${classes.name} ${critical ? classes.critical : ''} ${row.segments.length ? '' : 'dim-2'}`} title={row.key}>
        {picking && <input type="checkbox" checked={ticked} readOnly aria-label={`Select ${row.key}`} />}
        <Glyph name={glyph} tone={tone} />
        {picking ? (
          <span className="cut">{row.key}</span>
        ) : (
          <button type="button" className="cut" aria-pressed={chosen} aria-label={`Output and log of ${row.key}`}>
            {row.key}
          </button>
        )}
      </span>
      <span className={classes.bars}>
        {row.segments.length === 0 && <Note row={row} />}
        {row.segments.map((segment, index) => (
          <Bar key={index} segment={segment} chart={chart} width={width} attempts={attemptsOf(row)} />
        ))}
      </span>
      <span className="num dim-2" aria-hidden="true">
        {spent === null ? '–' : duration(spent)}
      </span>
    </div>
  );
}

function Note({ row }: { row: StepRow }) {
  return (
    <span className={classes.note}>
      {row.state === 'reused' && row.from ? (
        <>
          taken over from <RunLink runId={row.from} />
        </>
      ) : (
        withoutTime(row)
      )}
    </span>
  );
}

function Bar({ segment, chart, width, attempts }: { segment: Segment; chart: Gantt; width: number; attempts: number }) {
  const span = chart.to - chart.from;
  const share = (segment.to - segment.from) / span;
  const label = barLabel(segment, share * width, attempts);
  return (
    <i
      aria-hidden="true"
      className={`${classes.bar} ${classes[segment.kind]}`}
      style={{ left: `${(100 * (segment.from - chart.from)) / span}%`, width: `${100 * share}%` }}
      title={sentence(segment)}
    >
      {label && <b>{label}</b>}
    </i>
  );
}

function attemptsOf(row: StepRow): number {
  return Math.max(0, ...row.segments.map((segment) => segment.attempt));
}
