import { useMemo } from 'react';
import type { Op } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { total } from '../../lib/gantt/gantt';
import { layers } from '../../lib/gantt/layers';
import type { Gantt, StepRow } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import { STEP_LOOKS } from './stepLooks';
import classes from './StepGraph.module.css';

const BOX = { width: 196, height: 26 };
const GAP = { across: 56, down: 8 };
const EDGE = 16;

interface Place {
  x: number;
  y: number;
}

interface StepGraphProps {
  chart: Gantt;
  ops: Op[];
  path: string[];
  step: string | null;
  onStep: (step: string) => void;
  /** Steps that are chosen to be executed again; undefined while none are being chosen. */
  ticked: ReadonlySet<string> | undefined;
  onTick: (step: string) => void;
}

/** Which step needs which, left to right. */
export function StepGraph({ chart, ops, path, step, onStep, ticked, onTick }: StepGraphProps) {
  const columns = useMemo(() => layers(ops), [ops]);
  const places = useMemo(() => placesOf(columns), [columns]);
  const rows = new Map(chart.rows.map((row) => [row.key, row]));
  const [width, height] = [columns.length * (BOX.width + GAP.across), Math.max(1, ...columns.map((column) => column.length)) * (BOX.height + GAP.down)];
  return (
    <div className={classes.scroller}>
      <div className={classes.graph} style={{ width, height: height + EDGE }}>
        <svg width={width} height={height + EDGE} aria-hidden="true">
          {ops.flatMap((op) => op.needs.map((need) => <Edge key={`${need} ${op.key}`} from={places.get(need)} to={places.get(op.key)} heavy={onPath(path, need, op.key)} />))}
        </svg>
        {[...places].map(([key, place]) => (
          <Box
            key={key}
            row={rows.get(key)}
            name={key}
            place={place}
            chosen={ticked ? ticked.has(key) : key === step}
            onChoose={() => (ticked ? onTick(key) : onStep(key))}
          />
        ))}
      </div>
    </div>
  );
}

function Box({ row, name, place, chosen, onChoose }: { row: StepRow | undefined; name: string; place: Place; chosen: boolean; onChoose: () => void }) {
  const [glyph, tone] = STEP_LOOKS[row?.state ?? 'waiting'];
  const spent = row ? total(row) : null;
  return (
    <button
      type="button"
      className={`${classes.box} ${classes[tone] ?? ''} ${chosen ? classes.chosen : ''}`}
      style={{ left: place.x, top: place.y, width: BOX.width, height: BOX.height }}
      onClick={onChoose}
      aria-pressed={chosen}
      title={`${name}: ${row?.state ?? 'waiting'}`}
    >
      <Glyph name={glyph} tone={tone} />
      <span className="cut">{name}</span>
      <span className={classes.spent}>{spent !== null && duration(spent)}</span>
    </button>
  );
}

function Edge({ from, to, heavy }: { from: Place | undefined; to: Place | undefined; heavy: boolean }) {
  if (!from || !to) return null;
  const [x, y, toX, toY] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const bend = GAP.across / 2;
  return <path className={heavy ? classes.heavy : ''} d={`M${x} ${y}C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}`} />;
}

function placesOf(columns: string[][]): Map<string, Place> {
  const found = new Map<string, Place>();
  columns.forEach((column, across) =>
    column.forEach((key, down) => found.set(key, { x: across * (BOX.width + GAP.across), y: EDGE / 2 + down * (BOX.height + GAP.down) })),
  );
  return found;
}

const onPath = (path: string[], from: string, to: string) => path.includes(from) && path[path.indexOf(from) + 1] === to;
