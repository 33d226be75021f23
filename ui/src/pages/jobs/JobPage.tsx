import { Button } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { useJob } from '../../api/queries';
import type { Job } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { TagChip } from '../../components/TagChip';
import { listing } from '../../lib/words';
import { JobHead } from './JobHead';
import { launchpadPath } from './jobPaths';
import classes from './JobPage.module.css';

/** The steps of a job and what each needs. */
export function JobPage() {
  const { location = '', job = '' } = useParams();
  const launch = (
    <Button component={Link} variant="filled" to={launchpadPath(location, job)}>
      Launchpad
    </Button>
  );
  return (
    <>
      <JobHead location={location} job={job} aside={launch} />
      <Loaded query={useJob(location, job)}>{(found) => <Steps job={found} />}</Loaded>
    </>
  );
}

function Steps({ job }: { job: Job }) {
  const pools = job.ops.some((op) => op.pool);
  return (
    <>
      {(job.description || Object.keys(job.tags).length > 0) && (
        <div className={classes.about}>
          {job.description && <p>{job.description}</p>}
          <p>
            {Object.entries(job.tags).map(([key, value]) => (
              <TagChip key={key} name={key} value={value} />
            ))}
          </p>
        </div>
      )}
      <table className="table">
        <thead>
          <tr>
            <th>Step</th>
            <th>Op</th>
            <th>Needs</th>
            {pools && <th>Pool</th>}
          </tr>
        </thead>
        <tbody>
          {job.ops.map((op) => (
            <tr key={op.key}>
              <td className="name">{op.key}</td>
              <td className="dim-2">{op.op_name}</td>
              <td className="dim-2">{op.needs.length ? listing(op.needs) : 'nothing, starts at once'}</td>
              {pools && <td className="mono">{op.pool ?? '–'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
