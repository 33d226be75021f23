import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import classes from './CapturedOutput.module.css';

/** Numbered lines of text; only those on screen are in the document. */
export function LineView({ text, follow }: { text: string; follow: boolean }) {
  const lines = useMemo(() => (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n'), [text]);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => scroller.current, estimateSize: () => 20, overscan: 20 });
  const last = lines.length - 1;
  useEffect(() => {
    if (follow) rows.scrollToIndex(last, { align: 'end' });
  }, [follow, last, rows]);
  return (
    <div className={classes.scroller} ref={scroller} tabIndex={0}>
      <div className={classes.lines} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => (
          <div key={item.index} data-index={item.index} ref={rows.measureElement} style={{ transform: `translateY(${item.start}px)` }}>
            <span className={classes.number}>{item.index + 1}</span>
            <span className={classes.text}>{lines[item.index]}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
