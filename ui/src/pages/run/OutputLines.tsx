import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useMemo, useRef, type CSSProperties } from 'react';
import type { Output, OutputLine } from '../../api/outputFeed';
import { millis, preciseClock } from '../../lib/time';
import { useStickyEnd } from '../../lib/useStickyEnd';
import type { Place } from './usePlace';
import classes from './OutputPane.module.css';

const ROW = 20;
const LEAST_DIGITS = 5;

interface OutputLinesProps {
  output: Output;
  place: Place;
  onEarlier: () => void;
}

/** Lines as they were printed, only those in sight drawn; it stays at the end while somebody looks at the end. */
export function OutputLines({ output, place, onEarlier }: OutputLinesProps) {
  const { lines, start: first, before } = output;
  const scroller = useRef<HTMLDivElement>(null);
  const { atEnd, on } = useStickyEnd(scroller, place.line === null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    getItemKey: (index) => first + index,
    overscan: 20,
  });
  const last = lines.length - 1;
  const digits = Math.max(LEAST_DIGITS, String(lines[last]?.number ?? '').length);
  const wanted = useMemo(() => (place.line === null ? -1 : lines.findIndex((line) => line.number === place.line)), [lines, place.line]);
  const severalSteps = useMemo(() => place.step === null && lines.some((line) => line.step_key !== lines[0]?.step_key), [place.step, lines]);

  useEffect(() => {
    if (atEnd.current) rows.scrollToIndex(last, { align: 'end' });
  }, [last, first, rows, atEnd]);
  const found = wanted >= 0;
  useEffect(() => {
    if (found && !atEnd.current) rows.scrollToIndex(wanted, { align: 'center' });
    // Only when a line comes into reach, not while it moves.
  }, [found]);
  useKeepPlace(scroller, first, atEnd);

  return (
    <div className={`${classes.scroller} ${severalSteps ? classes.several : ''}`} ref={scroller} {...on} tabIndex={0} role="log" aria-live="off">
      {before !== 'nothing' && <Earlier act={before === 'lines' ? onEarlier : null} />}
      <div className={classes.lines} style={{ height: rows.getTotalSize(), '--digits': digits } as CSSProperties}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          return (
            line && (
              <div key={item.key} data-index={item.index} ref={rows.measureElement} style={{ transform: `translateY(${item.start}px)` }}>
                <Line line={line} steps={severalSteps} chosen={item.index === wanted} onChoose={place.setLine} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** Lines that come or go at the top must not move what is being read. */
function useKeepPlace(scroller: { current: HTMLDivElement | null }, first: number, atEnd: { current: boolean }): void {
  const before = useRef(first);
  useLayoutEffect(() => {
    const gone = first - before.current;
    before.current = first;
    if (gone !== 0 && !atEnd.current && scroller.current) scroller.current.scrollTop -= gone * ROW;
  }, [scroller, first, atEnd]);
}

function Earlier({ act }: { act: (() => void) | null }) {
  if (!act) return <p className={classes.earlier}>Earlier lines are in the file.</p>;
  return (
    <button type="button" className={classes.earlier} onClick={act}>
      Show earlier lines
    </button>
  );
}

interface LineProps {
  line: OutputLine;
  steps: boolean;
  chosen: boolean;
  onChoose: (line: number) => void;
}

function Line({ line, steps, chosen, onChoose }: LineProps) {
  const at = millis(line.at);
  const { number } = line;
  return (
    <div className={`${classes.line} ${chosen ? classes.chosen : ''}`} title={at === null ? undefined : preciseClock(at)}>
      <span className={classes.number}>
        {number !== null && (
          <button type="button" tabIndex={-1} onClick={() => onChoose(number)}>
            {number}
          </button>
        )}
      </span>
      <span className={`${classes.stream} ${line.stream === 'err' ? 'fail' : ''}`}>{line.stream}</span>
      {steps && (
        <span className={`${classes.step} cut`} title={line.step_key ?? undefined}>
          {line.step_key ?? 'run'}
        </span>
      )}
      <span className={classes.text}>{line.text}</span>
    </div>
  );
}
