import type { Daemon } from '../../api/types';
import { Glyph } from '../../components/Glyph';
import { relative } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { processesOf } from './processes';
import classes from './Daemons.module.css';

export function ProcessesTable({ daemons }: { daemons: Daemon[] }) {
  const now = useNow();
  const processes = processesOf(daemons);
  if (processes.length === 0) return null;
  const alive = processes.filter((process) => !process.silent).length;
  return (
    <section aria-label="Processes">
      <header className={classes.head}>
        <h2>Processes</h2>
        <span className="dim">
          {alive} of {processes.length} alive
        </span>
      </header>
      <table className="table">
        <colgroup>
          <col className={classes.host} />
          <col className={classes.pid} />
          <col />
          <col />
          <col className={classes.heartbeat} />
        </colgroup>
        <thead>
          <tr>
            <th>Host</th>
            <th className="num">Pid</th>
            <th>Leads</th>
            <th>Stands by for</th>
            <th className="num">Heartbeat</th>
          </tr>
        </thead>
        <tbody>
          {processes.map((process) => (
            <tr key={`${process.host} ${process.pid}`}>
              <td className="name">
                <Glyph name={process.silent ? 'down' : 'tick'} tone={process.silent ? 'fail' : 'ok'} /> {process.host}
              </td>
              <td className="num">{process.pid}</td>
              <td>{process.leads.join(', ') || '–'}</td>
              <td className="dim-2">{process.standsBy.join(', ') || '–'}</td>
              <td className={`num ${process.silent ? 'fail' : 'dim-2'}`}>
                {process.heartbeat === null ? '–' : relative(process.heartbeat, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
