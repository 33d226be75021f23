import { useRef } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useJob, useRun } from '../../api/queries';
import { useRunEvents } from '../../api/runEvents';
import type { Run } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { usePageKeys } from '../../keys/usePageKeys';
import { failureEvent } from '../../lib/events';
import { messageOf } from '../../api/client';
import { CapturedOutput } from './CapturedOutput';
import { EventLog, type EventLogHandle } from './EventLog';
import { FailurePanel } from './FailurePanel';
import { GanttChart } from './GanttChart';
import { RunHead } from './RunHead';
import { WaitingPanel } from './WaitingPanel';
import classes from './RunPage.module.css';

export function RunPage() {
  const { runId = '' } = useParams();
  const query = useRun(runId);
  return <Loaded query={query}>{(run) => <RunView key={run.run_id} run={run} />}</Loaded>;
}

function RunView({ run }: { run: Run }) {
  const log = useRunEvents(run.run_id);
  const ops = useJob(run.location, run.job_name).data?.ops ?? [];
  const events = log.data?.events ?? [];
  const eventLog = useRef<EventLogHandle>(null);
  const navigate = useNavigate();
  usePageKeys([
    { on: ['f'], show: ['F'], label: 'first error', act: () => eventLog.current?.showFirstError() },
    { on: ['l'], show: ['L'], label: 'log filter', act: () => eventLog.current?.focusFilter() },
    { on: ['u'], show: ['U'], label: 'up to runs', act: () => void navigate('/runs') },
  ]);
  return (
    <>
      <RunHead run={run} />
      {log.isError && <Notice tone="fail">{messageOf(log.error)}</Notice>}
      {run.status === 'FAILURE' && <FailurePanel run={run} event={failureEvent(events)} />}
      {run.status === 'QUEUED' && <WaitingPanel run={run} />}
      <GanttChart run={run} events={events} ops={ops} />
      <div className={classes.bottom}>
        <EventLog ref={eventLog} events={events} live={run.ended_at === null} />
        <CapturedOutput run={run} />
      </div>
    </>
  );
}
