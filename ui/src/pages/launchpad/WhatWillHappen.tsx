import { useDaemons } from '../../api/queries';
import { useLimits, useQueue, useQueueSummary } from '../../api/queueQueries';
import type { QueueEntry } from '../../api/queueTypes';
import type { JobSummary } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { RunLink } from '../../components/RunLink';
import { count, shortId, signed } from '../../lib/words';
import { outlook, placeWords, priorityOf, type Outlook } from './forecast';
import classes from './WhatWillHappen.module.css';

const SHOWN = 4;

/** The outlook for a run of a job with these tags, moving with the queue. */
export function useOutlook(job: JobSummary, tags: Record<string, string>): Outlook {
  const yard = {
    limits: useLimits().data ?? [],
    queue: useQueue().data ?? [],
    daemons: useDaemons().data ?? [],
    pauses: useQueueSummary().data?.pauses ?? [],
  };
  return outlook(job, tags, yard);
}

export function WhatWillHappen({ job, tags }: { job: JobSummary; tags: Record<string, string> }) {
  const found = useOutlook(job, tags);
  const priority = priorityOf(tags);
  return (
    <section className={classes.panel} aria-label="What will happen">
      <h2>What will happen</h2>
      <p className={classes.headline}>
        <Glyph name={found.glyph} tone={found.tone} /> {found.headline}
      </p>
      {found.limit && (
        <>
          <p className="dim-2">
            Held by{' '}
            {found.limit.holders.slice(0, 3).map((id) => (
              <span key={id}>
                <RunLink runId={id} />{' '}
              </span>
            ))}
            {found.limit.holders.length > 3 && `and ${found.limit.holders.length - 3} more`}
          </p>
          <Line found={found} />
          <p className="dim-2">
            {placeWords(found)}, at priority {signed(priority)}
            {found.behind.length > 0 && `; ${count(found.behind.length, 'run')} would wait longer`}.
          </p>
        </>
      )}
    </section>
  );
}

function Line({ found }: { found: Outlook }) {
  return (
    <div className={classes.line} aria-hidden="true">
      {found.limit?.holders.slice(0, SHOWN).map((id) => (
        <span key={id} className={classes.holder}>
          {shortId(id)}
        </span>
      ))}
      <i />
      {found.ahead.slice(0, SHOWN).map(waiter)}
      {found.ahead.length > SHOWN && <span>… {found.ahead.length - SHOWN} more</span>}
      <span className={classes.mine}>this run</span>
      {found.behind.slice(0, SHOWN).map(waiter)}
    </div>
  );
}

function waiter(entry: QueueEntry) {
  return (
    <span key={entry.run_id} className={classes.waiter}>
      {entry.job_name}
    </span>
  );
}
