import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { OutputFeed, type OutputQuestion } from './outputFeed';

/** What a run printed; read while the page is in sight, given up when it leaves. */
export function useOutput({ runId, stream, stepKey }: OutputQuestion) {
  const feed = useMemo(() => new OutputFeed({ runId, stream, stepKey }), [runId, stream, stepKey]);
  useEffect(() => {
    const look = () => (document.hidden ? feed.pause() : feed.resume());
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      feed.pause();
    };
  }, [feed]);
  const output = useSyncExternalStore(feed.watch, feed.current);
  return { output, readEarlier: () => feed.readEarlier() };
}
