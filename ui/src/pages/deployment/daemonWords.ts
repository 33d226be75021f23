import type { Daemon } from '../../api/types';
import { duration, millis } from '../../lib/time';
import { firstLine } from '../../lib/words';

interface About {
  name: string;
  does: string;
  /** What does not happen while it is off or down. */
  without: string;
  /** What turns it on in the instance file; null when it is on by itself. */
  setting: string | null;
}

const ABOUT: Record<string, About> = {
  SCHEDULER: {
    name: 'Scheduler',
    does: 'makes runs from schedules',
    without: 'No schedule fires.',
    setting: null,
  },
  QUEUED_RUN_COORDINATOR: {
    name: 'Run queue',
    does: 'launches queued runs by limits and priority',
    without: 'Runs are launched when they are asked for, without order or limits.',
    setting: null,
  },
  SENSOR: { name: 'Sensors', does: 'makes runs from sensors', without: 'No sensor is evaluated.', setting: null },
  MONITORING: {
    name: 'Run monitor',
    does: 'ends runs that start or run too long',
    without: 'Start, cancel and run timeouts are not enforced. Dead workers end their runs all the same.',
    setting: 'run_monitoring: {enabled: true}',
  },
};

export function aboutDaemon(type: string): About {
  return ABOUT[type] ?? { name: type, does: '', without: '', setting: null };
}

/** A command or setting that mends the daemon's trouble, and its effect. */
export function remedy(daemon: Daemon): { text: string; effect: string; prompt: boolean } | null {
  if (daemon.state === 'not_running') {
    return { text: 'runyard-daemon run', effect: 'starts the daemons that this instance asks for', prompt: true };
  }
  const setting = aboutDaemon(daemon.type).setting;
  if (daemon.state === 'off' && setting) return { text: setting, effect: 'in the instance file; read at the next start', prompt: false };
  return null;
}

/** What is wrong with a daemon, as far as it is known; null when nothing is. */
export function trouble(daemon: Daemon, now: number): string | null {
  const since = millis(daemon.pass_since);
  switch (daemon.state) {
    case 'hung':
      return since === null ? 'Its pass does not end.' : `Its pass has been open for ${duration(now - since)}, longer than its deadline.`;
    case 'late':
      return 'Its next pass is overdue.';
    case 'not_running':
      return notRunning(daemon);
    default:
      return null;
  }
}

function notRunning(daemon: Daemon): string {
  const consequence = aboutDaemon(daemon.type).without;
  if (!daemon.host) return `It has never run here. ${consequence}`;
  return `Process ${daemon.pid} on ${daemon.host} sent its last heartbeat and went silent. ${consequence}`;
}

export function errorLine(daemon: Daemon): string | null {
  const [error] = daemon.errors;
  return error ? `${error.error_class}: ${firstLine(error.message)}` : null;
}

/** Worst first, then those that work, then those that are off. */
export function inOrder(daemons: Daemon[]): Daemon[] {
  const rank = ['hung', 'failing', 'not_running', 'late', 'healthy', 'idle', 'off'];
  return [...daemons].sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state));
}

export function summary(daemons: Daemon[]): { mending: number; late: number; working: number; off: number } {
  const of = (...states: string[]) => daemons.filter((daemon) => states.includes(daemon.state)).length;
  return { mending: of('hung', 'failing', 'not_running'), late: of('late'), working: of('healthy', 'idle'), off: of('off') };
}
