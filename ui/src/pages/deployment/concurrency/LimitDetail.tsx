import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useJobs } from '../../../api/queries';
import { useQueue, useQueueHistory } from '../../../api/queueQueries';
import type { Holder, LimitInForce, QueueEntry } from '../../../api/queueTypes';
import { RunLink } from '../../../components/RunLink';
import { Wagons } from '../../../components/Wagons';
import { clock, elapsed, fullTime, millis } from '../../../lib/time';
import { ruleParts } from '../../../lib/tagText';
import { useNow } from '../../../lib/useNow';
import { grouped } from '../../../lib/words';
import { usage } from '../../queue/limitWords';
import { opsOf, type LimitRow } from './limitRows';
import classes from './LimitDetail.module.css';

const CHANGES_LOOKED_AT = 100;

interface LimitDetailProps {
  row: LimitRow;
  readOnly: boolean;
  onPause: (row: LimitRow) => void;
  onTakeBack: (limit: LimitInForce) => void;
}

/** One limit: who uses it, who gets it next, who set it, what it is for. */
export function LimitDetail({ row, readOnly, onPause, onTakeBack }: LimitDetailProps) {
  const { use, settable } = row;
  return (
    <section className={classes.detail} aria-label={`Limit ${row.title}`}>
      <header className={classes.head}>
        <h2>{use && settable?.kind === 'tag' && ruleParts(settable.name).each ? use.rule : row.title}</h2>
        {use && use.limit !== null && <span className={use.full ? 'wait strong' : 'dim-2'}>{usage(use)}</span>}
        {!readOnly && pausable(row) && <Button onClick={() => onPause(row)}>Pause</Button>}
      </header>
      {use && use.limit !== null && (
        <div className={classes.track}>
          <Wagons limit={use.limit} used={use.used} waiting={use.waiting} />
        </div>
      )}
      {row.note && <p className="wait">{row.note}</p>}
      <InUse holders={use?.holder_details ?? []} total={use?.holders.length ?? 0} byStep={settable?.kind === 'pool'} />
      {use && <Waiting rule={use.rule} waiting={use.waiting} all={use.waiting_is_all} />}
      {settable && <SetBy settable={settable} readOnly={readOnly} onTakeBack={onTakeBack} />}
      {settable && <WhatIf settable={settable} rule={use?.rule} />}
      {settable?.kind === 'pool' && <UsedBy pool={settable.name} />}
    </section>
  );
}

/** Pools can be paused, and what has one tag value, job or location. */
function pausable({ settable }: LimitRow): boolean {
  if (settable?.kind === 'pool' || settable?.kind === 'runs') return true;
  return settable?.kind === 'tag' && ruleParts(settable.name).value !== null;
}

function InUse({ holders, total, byStep }: { holders: Holder[]; total: number; byStep: boolean }) {
  const now = useNow();
  return (
    <>
      <h3>{byStep && holders.some((holder) => holder.step_key) ? 'In use, by step' : 'In use'}</h3>
      {holders.length === 0 && <p className="dim-2">Nothing uses it.</p>}
      <ul>
        {holders.map((holder) => (
          <li key={`${holder.run_id} ${holder.step_key}`}>
            <div className={classes.line}>
              <RunLink runId={holder.run_id} /> <span className="cut">{holder.job_name}</span>
              <span>{elapsed(now - (millis(holder.since) ?? now))}</span>
            </div>
            {(holder.step_key || holder.slots > 1) && (
              <div className={`${classes.line} dim-2`}>
                <span className="mono cut">{holder.step_key}</span>
                {holder.slots > 1 && <span>{holder.slots} slots</span>}
              </div>
            )}
          </li>
        ))}
      </ul>
      {total > holders.length && <p className="dim-2">and {grouped(total - holders.length)} more</p>}
    </>
  );
}

function Waiting({ rule, waiting, all }: { rule: string; waiting: number; all: boolean }) {
  const entries = (useQueue().data ?? []).filter((entry) => entry.reason.rule === rule);
  if (waiting === 0 && entries.length === 0) return null;
  return (
    <>
      <h3>Waiting, in the order they will get it</h3>
      <ol>
        {entries.map((entry, index) => (
          <Waiter key={entry.run_id} entry={entry} place={index + 1} />
        ))}
      </ol>
      {waiting > entries.length && (
        <p className="dim-2">
          and {grouped(waiting - entries.length)}
          {all ? '' : ' or'} more behind them
        </p>
      )}
    </>
  );
}

function Waiter({ entry, place }: { entry: QueueEntry; place: number }) {
  const now = useNow();
  const start = millis(entry.estimated_start);
  return (
    <li className={classes.waiter}>
      <span className={classes.place}>{place}</span>
      <div>
        <div className={classes.line}>
          <RunLink runId={entry.run_id} /> <span className="cut">{entry.job_name}</span>
          <span>{elapsed(now - (millis(entry.queued_at) ?? now))}</span>
        </div>
        <div className={`${classes.line} dim-2`}>
          <span>{entry.priority ? `queued run, priority ${entry.priority}` : 'queued run'}</span>
          {start !== null && <span>about {clock(start, now, { seconds: false })}</span>}
        </div>
      </div>
    </li>
  );
}

interface SetByProps {
  settable: LimitInForce;
  readOnly: boolean;
  onTakeBack: (limit: LimitInForce) => void;
}

function SetBy({ settable, readOnly, onTakeBack }: SetByProps) {
  const now = useNow();
  const subject = { runs: 'max_concurrent_runs', pool: `pool ${settable.name}`, tag: settable.name }[settable.kind];
  const changes = useQueueHistory(CHANGES_LOOKED_AT).data ?? [];
  const last = changes.find((change) => change.action === 'limit' && change.subject === subject);
  const at = millis(last?.at);
  const { origin, limit } = settable;
  const value = limit === null || limit < 0 ? 'No limit' : `Set to ${limit}`;
  return (
    <>
      <h3>{value}</h3>
      {origin === 'file' && <p className="dim-2">As the instance file says.</p>}
      {origin === 'default' && <p className="dim-2">The default of all pools, in the instance file.</p>}
      {origin === 'none' && <p className="dim-2">No default is set either: its steps never wait.</p>}
      {origin === 'set' && (
        <p className="dim-2">
          {last && at !== null ? (
            <span title={fullTime(at)}>
              by {last.by}, {clock(at, now, { seconds: false })}: {last.message}.{' '}
            </span>
          ) : (
            'In place of what the instance file says. '
          )}
          What held a slot when a limit was lowered keeps it until it ends.{' '}
          {!readOnly && (
            <button type="button" className={classes.link} onClick={() => onTakeBack(settable)}>
              As in the file again
            </button>
          )}
        </p>
      )}
    </>
  );
}

/** Leads to the same limit, one more, on the what-if page. */
function WhatIf({ settable, rule }: { settable: LimitInForce; rule: string | undefined }) {
  if (settable.limit === null || settable.limit < 0 || rule === undefined) return null;
  const other = settable.limit + 1;
  return (
    <p>
      <Link className="link" to={`/queue/what-if?${new URLSearchParams({ rule, limit: String(other) })}`}>
        What if it were {other}
      </Link>
    </p>
  );
}

function UsedBy({ pool }: { pool: string }) {
  const ops = opsOf(pool, useJobs().data ?? []);
  if (ops.length === 0) return null;
  return (
    <>
      <h3>Used by</h3>
      <ul className={classes.ops}>
        {ops.map((op) => (
          <li key={op.name} className={classes.line}>
            <span className="mono">{op.name}</span>
            <Link to="/jobs" className="dim-2 cut">
              {op.jobs.join(', ')}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
