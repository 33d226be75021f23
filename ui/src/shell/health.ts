import type { CodeLocation, Daemon } from '../api/types';
import { daemonLook, type GlyphName } from '../lib/status';
import { count } from '../lib/words';

export interface HealthItem {
  glyph: GlyphName;
  level: 'ok' | 'wait' | 'fail';
  text: string;
  to: string;
}

const WORST_FIRST = ['hung', 'failing', 'not_running', 'late'] as const;

/** What the top bar says of daemons and code locations, from what they report. */
export function healthItems(daemons: Daemon[], locations: CodeLocation[]): HealthItem[] {
  return [...daemonItem(daemons), ...locations.filter((one) => one.state === 'ERROR').map(locationItem)];
}

function daemonItem(daemons: Daemon[]): HealthItem[] {
  const on = daemons.filter((daemon) => daemon.state !== 'off');
  if (on.length === 0) return [];
  const to = '/deployment/daemons';
  const troubled = on.filter((daemon) => (WORST_FIRST as readonly string[]).includes(daemon.state));
  const worst = WORST_FIRST.find((state) => troubled.some((daemon) => daemon.state === state));
  if (!worst) return [{ glyph: 'tick', level: 'ok', text: count(on.length, 'daemon'), to }];
  const text = `${troubled.length} of ${count(on.length, 'daemon')}`;
  return [{ glyph: daemonLook(worst).glyph, level: worst === 'late' ? 'wait' : 'fail', text, to }];
}

function locationItem(location: CodeLocation): HealthItem {
  return { glyph: 'down', level: 'fail', text: location.name, to: '/deployment/locations' };
}
