import type { Daemon } from '../../api/types';
import { millis } from '../../lib/time';
import { aboutDaemon } from './daemonWords';

export interface Process {
  host: string;
  pid: number;
  leads: string[];
  standsBy: string[];
  heartbeat: number | null;
  silent: boolean;
}

/** The processes behind the daemons, from what each daemon says of its leader and standbys. */
export function processesOf(daemons: Daemon[]): Process[] {
  const found = new Map<string, Process>();
  const process = (host: string, pid: number): Process => {
    const key = `${host} ${pid}`;
    const one = found.get(key) ?? { host, pid, leads: [], standsBy: [], heartbeat: null, silent: true };
    found.set(key, one);
    return one;
  };
  for (const daemon of daemons) {
    const { name } = aboutDaemon(daemon.type);
    if (daemon.host && daemon.pid !== null) {
      const leader = beaten(process(daemon.host, daemon.pid), daemon.last_heartbeat);
      leader.silent &&= daemon.state === 'not_running';
      if (daemon.state !== 'not_running') leader.leads.push(name);
    }
    for (const standby of daemon.standbys) {
      const one = beaten(process(standby.host, standby.pid), standby.last_heartbeat);
      one.silent = false;
      one.standsBy.push(name);
    }
  }
  return [...found.values()];
}

function beaten(process: Process, heartbeat: string | null): Process {
  process.heartbeat = Math.max(process.heartbeat ?? 0, millis(heartbeat) ?? 0) || null;
  return process;
}
