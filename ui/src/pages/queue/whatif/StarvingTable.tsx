import type { Outcome } from '../../../api/simulateTypes';
import { RunLink } from '../../../components/RunLink';
import { TagChip } from '../../../components/TagChip';
import { duration } from '../../../lib/time';
import { signed } from '../../../lib/words';
import classes from './WhatIf.module.css';

/** The runs that wait longest, those that never start first. */
export function StarvingTable({ outcome, isAfter }: { outcome: Outcome; isAfter: boolean }) {
  if (outcome.starving.length === 0) return null;
  return (
    <div className={classes.scroll}>
      <table className={`table ${classes.table}`} aria-label="Who starves">
        <thead>
          <tr>
            <th className={classes.what}>Waits longest {isAfter ? 'under the other limits' : 'under the limits in force'}</th>
            <th>Run</th>
            <th className="num">Priority</th>
            <th>Tags</th>
            <th className="num">Waits</th>
            <th className="num" title="Of the median wait">
              Times median
            </th>
          </tr>
        </thead>
        <tbody>
          {outcome.starving.map((run) => (
            <tr key={run.run_id}>
              <td className="name">{run.job_name}</td>
              <td>
                <RunLink runId={run.run_id} />
              </td>
              <td className="num">{signed(run.priority)}</td>
              <td>
                {Object.entries(run.tags).map(([key, value]) => (
                  <TagChip key={key} name={key} value={value} />
                ))}
              </td>
              <td className={`num ${run.started ? '' : 'wait strong'}`}>{run.started ? duration(run.waited * 1000) : 'never starts'}</td>
              <td className="num dim-2">{run.times_median === null ? '–' : `${run.times_median.toFixed(1)}×`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
