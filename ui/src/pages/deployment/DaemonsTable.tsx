import type { Daemon } from '../../api/types';
import { useCursor } from '../../keys/useCursor';
import { usePageKeys } from '../../keys/usePageKeys';
import { DaemonRow } from './DaemonRow';
import { remedy } from './daemonWords';
import classes from './Daemons.module.css';

export function DaemonsTable({ daemons }: { daemons: Daemon[] }) {
  const cursor = useCursor(daemons, (daemon) => daemon.type);
  const copy = () => {
    const found = cursor.row && remedy(cursor.row);
    if (found) void navigator.clipboard.writeText(found.text);
  };
  usePageKeys([cursor.move, { on: ['c'], show: ['C'], label: 'copy command', act: copy }]);
  return (
    <table className={`table ${classes.daemons}`}>
      <colgroup>
        <col className={classes.state} />
        <col />
        <col className={classes.heartbeat} />
        <col className={classes.pass} />
        <col className={`${classes.outcome} minor`} />
        <col className={classes.next} />
        <col className={classes.leader} />
        <col className={`${classes.leader} minor`} />
      </colgroup>
      <thead>
        <tr>
          <th>State</th>
          <th>Daemon</th>
          <th className="num">Heartbeat</th>
          <th>Last pass</th>
          <th className="minor">It did</th>
          <th className="num">Next pass</th>
          <th>Leader, pid</th>
          <th className="minor">Standby</th>
        </tr>
      </thead>
      {daemons.map((daemon) => (
        <DaemonRow key={daemon.type} daemon={daemon} cursor={daemon.type === cursor.id} onCursor={() => cursor.set(daemon.type)} />
      ))}
    </table>
  );
}
