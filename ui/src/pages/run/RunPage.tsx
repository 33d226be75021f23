import { useRef, useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { messageOf } from '../../api/client';
import { useJob, useRun } from '../../api/queries';
import { useRunEvents } from '../../api/runEvents';
import type { Op, Run, RunEvent } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { usePageKeys } from '../../keys/usePageKeys';
import { planned } from '../../lib/gantt/gantt';
import { millis } from '../../lib/time';
import { useSelection } from '../../lib/useSelection';
import { EventLog, type EventLogHandle } from './EventLog';
import { FailurePanel } from './FailurePanel';
import { OutputPane } from './OutputPane';
import { PickBar } from './PickBar';
import { RunHead } from './RunHead';
import { StepsPanel, type StepsView } from './StepsPanel';
import { useGantt } from './useGantt';
import { usePlace } from './usePlace';
import { useRunActs } from './useRunActs';
import { WaitingPanel } from './WaitingPanel';
import classes from './RunPage.module.css';

const NO_OPS: Op[] = [];
const NO_EVENTS: RunEvent[] = [];

export function RunPage() {
  const { runId = '' } = useParams();
  const query = useRun(runId);
  return <Loaded query={query}>{(run) => <RunView key={run.run_id} run={run} />}</Loaded>;
}

function RunView({ run }: { run: Run }) {
  const log = useRunEvents(run.run_id);
  const ops = useJob(run.location, run.job_name).data?.ops ?? NO_OPS;
  const events = log.data?.events ?? NO_EVENTS;
  const eventLog = useRef<EventLogHandle>(null);
  const acts = useRunActs(run);
  const place = usePlace(run);
  const [ways, setWays] = useState(false);
  const [view, setView] = useState<StepsView>('gantt');
  const [picks, setPicks] = useState(false);
  const drawn = useGantt(run, events, ops);
  // Steps can be chosen also of a run that never started.
  const chart = drawn ?? (picks ? planned(ops) : null);
  const selection = useSelection(chart?.rows.map((row) => row.key) ?? []);
  const navigate = useNavigate();
  // The menu would take the key press that opens it for one that closes it.
  const openWays = () => requestAnimationFrame(() => setWays(true));
  usePageKeys([
    ...(acts.mayReexecute ? [{ on: ['e'], show: ['E'], label: 're-execute', act: openWays }] : []),
    { on: ['f'], show: ['F'], label: 'first error', act: () => eventLog.current?.showFirstError() },
    { on: ['g'], show: ['G'], label: 'Gantt or graph', act: () => setView(view === 'gantt' ? 'graph' : 'gantt') },
    { on: ['l'], show: ['L'], label: 'log filter', act: () => eventLog.current?.focusFilter() },
    { on: ['u'], show: ['U'], label: 'up to runs', act: () => void navigate('/runs') },
  ]);
  const showStep = (step: string) => place.setStep(place.chosen && step === place.step ? null : step);
  return (
    <>
      <RunHead run={run} acts={acts} onChooseSteps={() => setPicks(true)} ways={ways} onWays={setWays} cancelingSince={cancelingSince(events)} />
      {log.isError && <Notice tone="fail">{messageOf(log.error)}</Notice>}
      {run.status === 'FAILURE' && <FailurePanel run={run} events={events} />}
      {run.status === 'QUEUED' && <WaitingPanel run={run} />}
      {picks && (
        <PickBar
          ops={ops}
          picking={selection}
          busy={acts.busy}
          onAct={(steps) => acts.reexecute('selected', steps)}
          onClose={() => setPicks(false)}
        />
      )}
      {chart && chart.rows.length > 0 && (
        <StepsPanel
          run={run}
          chart={chart}
          ops={ops}
          view={view}
          onView={setView}
          step={place.step}
          onStep={showStep}
          picking={picks ? selection : null}
        />
      )}
      <div className={classes.bottom}>
        <EventLog ref={eventLog} events={events} ops={ops} step={place.chosen ? place.step : null} live={run.ended_at === null} />
        <OutputPane run={run} place={place} />
      </div>
    </>
  );
}

function cancelingSince(events: RunEvent[]): number | null {
  return millis(events.findLast((event) => event.type === 'RUN_CANCELING')?.timestamp);
}
