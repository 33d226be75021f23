import type { Gantt } from '../../lib/gantt/types';
import classes from './Gantt.module.css';

const WIDE = 1000;

/** A line under the bars of the steps that made the run as long as it was. */
export function CriticalPath({ chart, path, rowHeight }: { chart: Gantt; path: string[]; rowHeight: number }) {
  if (path.length === 0) return null;
  const height = chart.rows.length * rowHeight;
  return (
    <svg className={classes.path} viewBox={`0 0 ${WIDE} ${height}`} preserveAspectRatio="none" style={{ height }} aria-hidden="true">
      <path d={lineOf(chart, path, rowHeight)} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

function lineOf({ rows, from, to }: Gantt, path: string[], rowHeight: number): string {
  const x = (at: number) => ((WIDE * (at - from)) / (to - from)).toFixed(1);
  const places = new Map(rows.map((row, index) => [row.key, { row, y: (index + 1) * rowHeight - 3 }]));
  return path
    .flatMap((key, index) => {
      const place = places.get(key);
      const first = place?.row.segments[0];
      const last = place?.row.segments[place.row.segments.length - 1];
      if (!place || !first || !last) return [];
      return [index === 0 ? `M${x(first.from)} ${place.y}` : `V${place.y}`, `H${x(last.to)}`];
    })
    .join('');
}
