import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useChildren } from '../../api/runActions';
import type { Run } from '../../api/types';
import { RunLink } from '../../components/RunLink';
import { TagChip } from '../../components/TagChip';
import { FINISHED, runLook } from '../../lib/status';
import { ownTags, RETRY_NUMBER_TAG, SCHEDULE_TAG, startedBy } from '../../lib/tags';
import { clock, fullTime, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { count, shortId, signed } from '../../lib/words';
import { took, waited } from '../runs/runTimes';
import { retryChain, retryIsComing } from './retryChain';
import classes from './RunFacts.module.css';

/** One line of facts; a fact that a run does not have is left out. */
export function RunFacts({ run }: { run: Run }) {
  const now = useNow();
  const asked = millis(run.created_at) ?? now;
  const tags = ownTags(run.tags);
  return (
    <dl className={classes.facts}>
      <Fact name="asked">
        <span title={fullTime(asked)}>{clock(asked, now)}</span>
        <Asker run={run} />
      </Fact>
      <Fact name="waited">{waited(run, now)}</Fact>
      <Fact name={run.ended_at ? 'took' : 'runs for'}>{took(run, now)}</Fact>
      <Fact name="where">
        <span title={run.host_id === null ? undefined : `host ${run.host_id}`}>
          {run.location}
          {run.pid !== null && `, pid ${run.pid}`}
        </span>
      </Fact>
      <Fact name="attempt">{attempt(run)}</Fact>
      <Fact name="priority">{run.priority !== 0 && signed(run.priority)}</Fact>
      <Fact name="tags">{tags.length > 0 && tags.map(([key, value]) => <TagChip key={key} name={key} value={value} />)}</Fact>
      <Retries run={run} />
    </dl>
  );
}

function Asker({ run }: { run: Run }) {
  const who = startedBy(run.tags);
  if (!who) return null;
  return (
    <>
      {' '}
      by{' '}
      <Link className="link" to="/automation">
        {who}
      </Link>
      {run.tags[SCHEDULE_TAG] ? ', a schedule' : ', a sensor'}
    </>
  );
}

function attempt(run: Run): string | null {
  const words: string[] = [];
  if (run.attempt > 1) words.push(String(run.attempt));
  if (run.resumes > 0) words.push(`resumed ${count(run.resumes, 'time')}`);
  if (run.tags[RETRY_NUMBER_TAG]) words.push(`automatic retry ${run.tags[RETRY_NUMBER_TAG]}`);
  return words.join(', ') || null;
}

/** The chain of a run's retries and re-executions, this one in its place. */
function Retries({ run }: { run: Run }) {
  const children = useChildren(run.run_id).data ?? [];
  const chain = retryChain(run, children);
  const coming = retryIsComing(run, chain);
  if (chain.length === 0 && !coming) return null;
  return (
    <Fact name="retries">
      {chain.map((link, index) => (
        <span key={link.runId}>
          {index > 0 && <span className="dim"> → </span>}
          {link.runId === run.run_id ? <b className="mono strong">{shortId(link.runId)}</b> : <RunLink runId={link.runId} />}
          {link.run && link.runId !== run.run_id && <ChildState run={link.run} />}
        </span>
      ))}
      {coming && <span className="dim-2">{chain.length > 0 && ' → '}one follows</span>}
    </Fact>
  );
}

function ChildState({ run }: { run: Run }) {
  const look = runLook(run.status);
  return <span className={FINISHED.has(run.status) && look.quiet ? 'dim-2' : look.tone}> {look.word.toLowerCase()}</span>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
