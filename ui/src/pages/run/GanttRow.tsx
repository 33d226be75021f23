import { Glyph } from '../../components/Glyph';
import type { Gantt, Segment, StepRow, StepState } from '../../lib/gantt';
import type { GlyphName, Tone } from '../../lib/status';
import { duration } from '../../lib/time';
import { listing } from '../../lib/words';
import classes from './Gantt.module.css';

const LOOKS: Record<StepState, [GlyphName, Tone]> = {
  succeeded: ['tick', 'ok'],
  failed: ['cross', 'fail'],
  running: ['play', 'run'],
  skipped: ['skipped', 'idle'],
  waiting: ['ring', 'idle'],
};

const WORDS: Record<Segment['kind'], string> = {
  'start-up': 'starting up',
  work: 'worked',
  failed: 'failed',
  'retry-wait': 'waited to retry',
  running: 'runs for',
};

export function GanttRow({ row, chart, total }: { row: StepRow; chart: Gantt; total: number | null }) {
  const [glyph, tone] = LOOKS[row.state];
  const span = chart.to - chart.from;
  const attempts = Math.max(0, ...row.segments.map((segment) => segment.attempt));
  return (
    <div className={`${classes.row} ${row.state === 'failed' ? classes.bad : ''}`}>
      <span className={classes.name} title={row.key}>
        <Glyph name={glyph} tone={tone} />
        <span className="cut">{row.key}</span>
      </span>
      <span className={classes.bars}>
        {row.segments.length === 0 && <span className={classes.note}>{notStarted(row)}</span>}
        {row.segments.map((segment, index) => (
          <i
            key={index}
            className={`${classes.bar} ${classes[segment.kind]}`}
            style={{ left: `${(100 * (segment.from - chart.from)) / span}%`, width: `${(100 * (segment.to - segment.from)) / span}%` }}
            title={sentence(segment)}
          >
            {attempts > 1 && segment.kind !== 'retry-wait' && segment.to - segment.from > span * 0.06 ? `attempt ${segment.attempt}` : ''}
          </i>
        ))}
      </span>
      <span className="num dim-2">{total === null ? '–' : duration(total)}</span>
    </div>
  );
}

export function sentence(segment: Segment): string {
  return `Attempt ${segment.attempt} ${WORDS[segment.kind]} ${duration(segment.to - segment.from)}`;
}

export function notStarted(row: StepRow): string {
  const verb = row.state === 'skipped' ? 'skipped' : 'not started';
  return row.needs.length ? `${verb}: needs ${listing(row.needs)}` : verb;
}
