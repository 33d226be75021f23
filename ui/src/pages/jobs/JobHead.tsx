import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { PageHead } from '../../components/PageHead';
import { PageTabs } from '../../components/PageTabs';
import { jobPath, launchpadPath } from './jobPaths';
import classes from './JobHead.module.css';

/** Head of every page of one job. */
export function JobHead({ location, job, aside }: { location: string; job: string; aside?: ReactNode }) {
  const title = (
    <>
      <Link to="/jobs" className={classes.up}>
        Jobs /
      </Link>{' '}
      {job} <span className={classes.location}>location {location}</span>
    </>
  );
  const tabs = [
    { to: jobPath(location, job), label: 'Steps' },
    { to: launchpadPath(location, job), label: 'Launchpad' },
    { to: `/runs?job=${encodeURIComponent(job)}`, label: 'Runs', active: false },
  ];
  return (
    <PageHead title={title} name={job} tabs={<PageTabs tabs={tabs} />} aside={aside}>
      <b className={classes.phone}>{job}</b>
    </PageHead>
  );
}
