import { SegmentedControl, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { forwardRef, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import type { Op, RunEvent } from '../../api/types';
import { count, grouped } from '../../lib/words';
import { useStickyEnd } from '../../lib/useStickyEnd';
import { EventRow } from './EventRow';
import { levelsOf, matching, withStep, type LevelFilter } from './eventFilter';
import classes from './EventLog.module.css';

export interface EventLogHandle {
  showFirstError: () => void;
  focusFilter: () => void;
}

interface EventLogProps {
  events: RunEvent[];
  ops: Op[];
  /** The step that was chosen elsewhere on the page. */
  step: string | null;
  live: boolean;
}

/** The log of a run; it stays at its end while somebody looks at the end. */
export const EventLog = forwardRef<EventLogHandle, EventLogProps>(function EventLog({ events, ops, step, live }, ref) {
  const [level, setLevel] = useState<LevelFilter>('all');
  const [text, setText] = useState(() => withStep('', step));
  const [shownStep, setShownStep] = useState(step);
  const scroller = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const { atEnd, on } = useStickyEnd(scroller, live);
  const shown = useMemo(() => matching(events, level, text, ops), [events, level, text, ops]);
  const levels = useMemo(() => levelsOf(events), [events]);
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => 22, overscan: 20 });
  const last = shown.length - 1;

  if (step !== shownStep) {
    setShownStep(step);
    setText(withStep(text, step));
  }
  useEffect(() => {
    if (atEnd.current && last >= 0) rows.scrollToIndex(last, { align: 'end' });
  }, [last, rows, atEnd]);
  useImperativeHandle(ref, () => ({
    focusFilter: () => field.current?.focus(),
    showFirstError: () => {
      setLevel('all');
      setText('');
      const first = events.findIndex((event) => event.level === 'ERROR' || event.level === 'CRITICAL');
      atEnd.current = false;
      if (first >= 0) rows.scrollToIndex(first, { align: 'center' });
    },
  }));

  return (
    <section className={classes.log} aria-label="Log">
      <header className={classes.head}>
        <b>Log</b>
        <span className="dim-2">{told(shown.length, events.length)}</span>
        <SegmentedControl
          className={classes.levels}
          value={level}
          onChange={(value) => setLevel(value as LevelFilter)}
          data={[
            { value: 'all', label: 'All levels' },
            { value: 'info', label: 'Info' },
            { value: 'warning', label: `Warnings ${grouped(levels.warnings)}` },
            { value: 'error', label: `Errors ${grouped(levels.errors)}` },
          ]}
        />
        <TextInput
          ref={field}
          className={classes.filter}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder="step:key, step:key+ or words"
          aria-label="Filter the log"
        />
      </header>
      <div className={classes.scroller} ref={scroller} {...on}>
        <div className={classes.rows} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const event = shown[item.index];
            if (!event) return null;
            return (
              <div key={event.cursor} data-index={item.index} ref={rows.measureElement} style={{ transform: `translateY(${item.start}px)` }}>
                <EventRow event={event} />
              </div>
            );
          })}
        </div>
        {shown.length === 0 && events.length > 0 && <p className={classes.none}>No event fits.</p>}
      </div>
    </section>
  );
});

function told(shown: number, all: number): string {
  return shown === all ? count(all, 'event') : `${grouped(shown)} of ${count(all, 'event')}`;
}
