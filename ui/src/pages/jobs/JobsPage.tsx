import { Button } from '@mantine/core';
import { Link, useNavigate } from 'react-router';
import { useJobs } from '../../api/queries';
import type { JobSummary } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { PageHead } from '../../components/PageHead';
import { useCursor } from '../../keys/useCursor';
import { usePageKeys } from '../../keys/usePageKeys';
import { count } from '../../lib/words';
import { JobRow } from './JobRow';
import { launchpadPath } from './jobPaths';
import classes from './JobsPage.module.css';

export function JobsPage() {
  const query = useJobs();
  const amount = query.data?.length;
  return (
    <>
      <PageHead title="Jobs" name="Jobs">
        {amount !== undefined && amount > 0 && count(amount, 'job')}
      </PageHead>
      <Loaded query={query}>{(jobs) => (jobs.length ? <JobsTable jobs={jobs} /> : <NoJobs />)}</Loaded>
    </>
  );
}

const idOf = (job: JobSummary) => `${job.location}/${job.name}`;

function JobsTable({ jobs }: { jobs: JobSummary[] }) {
  const cursor = useCursor(jobs, idOf);
  const navigate = useNavigate();
  usePageKeys([
    cursor.move,
    {
      on: ['Enter'],
      show: ['Enter'],
      label: 'launchpad',
      act: () => cursor.row && void navigate(launchpadPath(cursor.row.location, cursor.row.name)),
    },
  ]);
  const pools = jobs.some((job) => job.pools.length > 0);
  return (
    <table className="table tall">
      <colgroup>
        <col className={classes.name} />
        <col className={classes.location} />
        <col className={`${classes.steps} minor`} />
        <col className={`${classes.tags} minor`} />
        {pools && <col className={`${classes.location} minor`} />}
        <col className="minor" />
        <col className={classes.acts} />
      </colgroup>
      <thead>
        <tr>
          <th>Job</th>
          <th>Location</th>
          <th className="num minor">Steps</th>
          <th className="minor">Tags</th>
          {pools && <th className="minor">Pools</th>}
          <th className="minor">What it does</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <JobRow key={idOf(job)} job={job} pools={pools} cursor={idOf(job) === cursor.id} onCursor={() => cursor.set(idOf(job))} />
        ))}
      </tbody>
    </table>
  );
}

function NoJobs() {
  return (
    <EmptyState title="No job is defined" action={<Button component={Link} to="/deployment/locations">Code locations</Button>}>
      Jobs come from the code locations of the workspace file. One that does not load shows why.
    </EmptyState>
  );
}
