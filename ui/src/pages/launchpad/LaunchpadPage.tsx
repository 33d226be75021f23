import { useParams, useSearchParams } from 'react-router';
import { useJob, useRun } from '../../api/queries';
import type { Job } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { JobHead } from '../jobs/JobHead';
import { Launchpad } from './Launchpad';

export default function LaunchpadPage() {
  const { location = '', job = '' } = useParams();
  const from = useSearchParams()[0].get('from');
  return (
    <>
      <JobHead location={location} job={job} />
      <Loaded query={useJob(location, job)}>
        {(found) => (from ? <FromRun job={found} runId={from} /> : <Launchpad key={`${location}/${job}`} job={found} from={null} />)}
      </Loaded>
    </>
  );
}

/** Begins with the config and the tags of an earlier run. */
function FromRun({ job, runId }: { job: Job; runId: string }) {
  return <Loaded query={useRun(runId)}>{(run) => <Launchpad key={runId} job={job} from={run} />}</Loaded>;
}
