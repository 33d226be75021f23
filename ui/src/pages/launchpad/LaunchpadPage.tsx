import { useParams, useSearchParams } from 'react-router';
import { useJob, useLocations, useRun } from '../../api/queries';
import type { Job } from '../../api/types';
import { Loaded } from '../../components/Loaded';
import { Notice } from '../../components/Notice';
import { JobHead } from '../jobs/JobHead';
import { Launchpad } from './Launchpad';

export default function LaunchpadPage() {
  const { location = '', job = '' } = useParams();
  const from = useSearchParams()[0].get('from');
  return (
    <>
      <JobHead location={location} job={job} />
      <StillLoading location={location} />
      <Loaded query={useJob(location, job)}>
        {(found) => (from ? <FromRun job={found} runId={from} /> : <Launchpad key={`${location}/${job}`} job={found} from={null} />)}
      </Loaded>
    </>
  );
}

/** What is asked of a location that loads is answered once it has loaded, for a minute at most. */
function StillLoading({ location }: { location: string }) {
  const loading = useLocations().data?.some((one) => one.name === location && one.state === 'LOADING') ?? false;
  return loading ? <Notice tone="run">{location} is loading. The launchpad and a launch wait for it, for a minute at most.</Notice> : null;
}

/** Begins with the config and the tags of an earlier run. */
function FromRun({ job, runId }: { job: Job; runId: string }) {
  return <Loaded query={useRun(runId)}>{(run) => <Launchpad key={runId} job={job} from={run} />}</Loaded>;
}
