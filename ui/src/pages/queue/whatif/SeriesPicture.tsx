import { useElementSize } from '@mantine/hooks';
import type { Series } from '../../../api/simulateTypes';
import { clock, distance, sameDay } from '../../../lib/time';
import { pathOf, peakOf, ticksOf } from './series';
import classes from './Picture.module.css';

const HEIGHT = 120;
const LEFT = 44;
const RIGHT = 20;
const TOP = 8;
const BOTTOM = 20;

interface SeriesPictureProps {
  title: string;
  /** Milliseconds since the epoch; null for a made-up load, which begins at 0. */
  start: number | null;
  before: Series;
  after: Series | null;
  of: 'queued' | 'active';
}

/** How many runs wait or run over time, before and after. */
export function SeriesPicture({ title, start, before, after, of }: SeriesPictureProps) {
  const { ref, width } = useElementSize();
  const peak = Math.max(1, peakOf(before[of]), after ? peakOf(after[of]) : 0);
  const frame = { left: LEFT, top: TOP, width: Math.max(0, width - LEFT - RIGHT), height: HEIGHT - TOP - BOTTOM, peak };
  const seconds = before[of].length * before.bucket_seconds;
  const means = after ? `before on average ${mean(before[of])}, after ${mean(after[of])}` : `on average ${mean(before[of])}`;
  return (
    <section className={classes.picture} aria-label={title}>
      <h2>
        {title} <span>runs, mean of {distance(before.bucket_seconds * 1000)} each</span>
        <Key label={after ? 'before' : 'limits in force'} className={classes.before} />
        {after && <Key label="after" className={classes.after} />}
      </h2>
      <div ref={ref}>
        <svg width={width} height={HEIGHT} role="img" aria-label={`${title}: ${means}`}>
          <path d={`M${LEFT} ${TOP}h${frame.width}M${LEFT} ${HEIGHT - BOTTOM}h${frame.width}`} className={classes.grid} />
          <text x={LEFT - 8} y={TOP + 4} textAnchor="end">
            {Math.ceil(peak)}
          </text>
          <text x={LEFT - 8} y={HEIGHT - BOTTOM + 4} textAnchor="end">
            0
          </text>
          <path d={pathOf(before[of], frame, true)} className={classes.beforeArea} />
          <path d={pathOf(before[of], frame, false)} className={classes.before} />
          {after && <path d={pathOf(after[of], frame, false)} className={classes.after} />}
          {ticksOf(start, seconds, frame).map(({ x, at }) => (
            <text key={x} x={x} y={HEIGHT - 5} textAnchor="middle">
              {label(at, start, seconds)}
            </text>
          ))}
        </svg>
      </div>
    </section>
  );
}

function Key({ label, className }: { label: string; className: string | undefined }) {
  return (
    <span className={classes.key}>
      <svg width="18" height="8" aria-hidden="true">
        <path d="M0 4h18" className={className} />
      </svg>
      {label}
    </span>
  );
}

/** The time of day, with the day where the picture spans several; of a made-up load the time since it began. */
function label(at: number, start: number | null, seconds: number): string {
  if (start === null) return distance(at);
  const day = sameDay(start, start + seconds * 1000) ? at : start + seconds * 1000;
  return clock(at, day, { seconds: false });
}

function mean(values: number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)).toFixed(1);
}
