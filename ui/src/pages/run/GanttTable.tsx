import { total } from '../../lib/gantt/gantt';
import type { Gantt, StepRow } from '../../lib/gantt/types';
import { duration } from '../../lib/time';
import { sentence, withoutTime } from './stepWords';

/** The chart as a table, for those who do not see it. */
export function GanttTable({ chart }: { chart: Gantt }) {
  return (
    <div className="visually-hidden">
      <table>
        <caption>Steps of the run</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">State</th>
            <th scope="col">Began after</th>
            <th scope="col">What it did</th>
            <th scope="col">Total</th>
          </tr>
        </thead>
        <tbody>
          {chart.rows.map((row) => (
            <Step key={row.key} row={row} from={chart.from} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Step({ row, from }: { row: StepRow; from: number }) {
  const [first] = row.segments;
  const spent = total(row);
  return (
    <tr>
      <th scope="row">{row.key}</th>
      <td>{row.state}</td>
      <td>{first ? duration(first.from - from) : '–'}</td>
      <td>{first ? row.segments.map(sentence).join('; ') : withoutTime(row)}</td>
      <td>{spent === null ? '–' : duration(spent)}</td>
    </tr>
  );
}
