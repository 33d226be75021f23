import { Button } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { TerminateDialog } from '../../components/TerminateDialog';
import { runLook } from '../../lib/status';
import { PARTITION_TAG } from '../../lib/tags';
import { shortId } from '../../lib/words';
import { CancelingNotice } from './CancelingNotice';
import { ReexecuteButton } from './ReexecuteButton';
import { RunFacts } from './RunFacts';
import type { RunActs } from './useRunActs';
import classes from './RunHead.module.css';

interface RunHeadProps {
  run: Run;
  acts: RunActs;
  onChooseSteps: () => void;
  /** Whether the ways to re-execute are open. */
  ways: boolean;
  onWays: (open: boolean) => void;
  /** When the run was told to stop. */
  cancelingSince: number | null;
}

/** What a run is, at a glance, and what may be done with it. */
export function RunHead({ run, acts, onChooseSteps, ways, onWays, cancelingSince }: RunHeadProps) {
  const title = (
    <>
      <Link to="/runs" className={classes.up}>
        Runs /
      </Link>{' '}
      {run.job_name}
      {run.tags[PARTITION_TAG] && <span className={`mono dim-2 ${classes.partition}`}> {run.tags[PARTITION_TAG]}</span>}
    </>
  );
  const launchpad = `/jobs/${encodeURIComponent(run.location)}/${encodeURIComponent(run.job_name)}/launchpad?from=${run.run_id}`;
  const actions = (
    <>
      <Button component={Link} to={launchpad} leftSection={<IconExternalLink size={14} stroke={1.7} />}>
        Launchpad
      </Button>
      {acts.mayTerminate && (
        <Button onClick={acts.askToTerminate} loading={acts.busy}>
          Terminate…
        </Button>
      )}
      {acts.mayReexecute && (
        <ReexecuteButton status={run.status} busy={acts.busy} onAct={acts.reexecute} onChoose={onChooseSteps} open={ways} onOpen={onWays} />
      )}
    </>
  );
  return (
    <>
      <PageHead title={title} name={`${run.job_name} ${shortId(run.run_id)}`} aside={actions}>
        <span className={classes.state}>
          <b className={classes.phone}>{run.job_name}</b>
          <StateWord look={runLook(run.status)} />
          <CopyId runId={run.run_id} />
        </span>
      </PageHead>
      <RunFacts run={run} />
      {acts.refusal && <Notice tone="fail">{acts.refusal}</Notice>}
      {run.status === 'CANCELING' && <CancelingNotice run={run} since={cancelingSince} />}
      <TerminateDialog question={acts.question} onClose={acts.dismiss} />
    </>
  );
}

function CopyId({ runId }: { runId: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard.writeText(runId);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className={`mono ${classes.id}`} title={`Copy ${runId}`} onClick={copy}>
      {copied ? 'copied' : shortId(runId)}
    </button>
  );
}
