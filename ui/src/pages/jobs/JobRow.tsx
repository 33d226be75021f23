import { Link } from 'react-router';
import type { JobSummary } from '../../api/types';
import { TagChip } from '../../components/TagChip';
import { firstLine } from '../../lib/words';
import { jobPath, launchpadPath } from './jobPaths';

interface JobRowProps {
  job: JobSummary;
  pools: boolean;
  cursor: boolean;
  onCursor: () => void;
}

export function JobRow({ job, pools, cursor, onCursor }: JobRowProps) {
  return (
    <tr className={cursor ? 'cursor' : ''} onClick={onCursor}>
      <td className="name">
        <Link to={jobPath(job.location, job.name)} title={job.name}>
          {job.name}
        </Link>
      </td>
      <td className="dim-2">{job.location}</td>
      <td className="num minor">{job.ops.length}</td>
      <td className="minor">
        {Object.entries(job.tags).map(([key, value]) => (
          <TagChip key={key} name={key} value={value} />
        ))}
      </td>
      {pools && <td className="mono minor">{job.pools.join(' ') || '–'}</td>}
      <td className="dim-2 minor" title={job.description ?? undefined}>
        {firstLine(job.description ?? '')}
      </td>
      <td className="num">
        <Link className="link" to={launchpadPath(job.location, job.name)}>
          Launchpad
        </Link>
      </td>
    </tr>
  );
}
