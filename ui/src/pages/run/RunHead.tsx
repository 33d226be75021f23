import { Button, Menu } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { messageOf } from '../../api/client';
import { useInstance } from '../../api/queries';
import { useCancel } from '../../api/queueActions';
import type { Run } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { Notice } from '../../components/Notice';
import { PageHead } from '../../components/PageHead';
import { RunLink } from '../../components/RunLink';
import { TagChip } from '../../components/TagChip';
import { FINISHED, runLook } from '../../lib/status';
import { ownTags, PARTITION_TAG, SCHEDULE_TAG, startedBy } from '../../lib/tags';
import { clock, fullTime, millis } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { shortId, signed } from '../../lib/words';
import { took, waited } from '../runs/runTimes';
import classes from './RunHead.module.css';

/** What a run is, at a glance, and what may be done with it. */
export function RunHead({ run }: { run: Run }) {
  const cancel = useCancel();
  const title = (
    <>
      <Link to="/runs" className={classes.up}>
        Runs /
      </Link>{' '}
      {run.job_name}
      {run.tags[PARTITION_TAG] && <span className={`mono dim-2 ${classes.partition}`}> {run.tags[PARTITION_TAG]}</span>}
    </>
  );
  return (
    <>
      <PageHead title={title} name={`${run.job_name} ${shortId(run.run_id)}`} aside={<Actions run={run} cancel={cancel} />}>
        <span className={classes.state}>
          <b className={classes.phone}>{run.job_name}</b>
          <StateWord look={runLook(run.status)} />
          <CopyId runId={run.run_id} />
        </span>
      </PageHead>
      {cancel.isError && <Notice tone="fail">{messageOf(cancel.error)}</Notice>}
      <Facts run={run} />
    </>
  );
}

function Actions({ run, cancel }: { run: Run; cancel: ReturnType<typeof useCancel> }) {
  const readOnly = useInstance().data?.read_only ?? false;
  const launchpad = `/jobs/${encodeURIComponent(run.location)}/${encodeURIComponent(run.job_name)}/launchpad?from=${run.run_id}`;
  return (
    <>
      <Button component={Link} to={launchpad} leftSection={<IconExternalLink size={14} stroke={1.7} />}>
        Launchpad
      </Button>
      {!FINISHED.has(run.status) && !readOnly && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button disabled={run.status === 'CANCELING'} loading={cancel.isPending}>
              {run.status === 'CANCELING' ? 'Canceling' : 'Cancel run'}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{run.started_at ? 'Its worker is asked to stop; what it did stays.' : 'It will not start.'}</Menu.Label>
            <Menu.Item onClick={() => cancel.mutate(run.run_id)}>Cancel {shortId(run.run_id)}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
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

function Facts({ run }: { run: Run }) {
  const now = useNow();
  const asked = millis(run.created_at) ?? now;
  const tags = ownTags(run.tags);
  return (
    <dl className={classes.facts}>
      <Fact name="asked">
        <span title={fullTime(asked)}>{clock(asked, now)}</span>
        {startedBy(run.tags) && (
          <>
            {' '}
            by{' '}
            <Link className="link" to="/automation">
              {startedBy(run.tags)}
            </Link>
            {run.tags[SCHEDULE_TAG] ? ', a schedule' : ', a sensor'}
          </>
        )}
      </Fact>
      <Fact name="waited">{waited(run, now)}</Fact>
      <Fact name={run.ended_at ? 'took' : 'runs for'}>{took(run, now)}</Fact>
      <Fact name="priority">{run.priority !== 0 && signed(run.priority)}</Fact>
      <Fact name="attempt">{run.attempt > 1 && String(run.attempt)}</Fact>
      <Fact name="location">{run.location}</Fact>
      <Fact name="tags">{tags.length > 0 && tags.map(([key, value]) => <TagChip key={key} name={key} value={value} />)}</Fact>
      <Fact name="retry of">{run.parent_run_id && <RunLink runId={run.parent_run_id} />}</Fact>
    </dl>
  );
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
