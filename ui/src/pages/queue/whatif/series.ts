// Geometry of the pictures of a what-if.

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  peak: number;
}

export const peakOf = (values: number[]) => values.reduce((most, value) => Math.max(most, value), 0);

/** Steps, one for each bucket; closed along the ground for an area. */
export function pathOf(values: number[], frame: Frame, area: boolean): string {
  const { left, top, width, height, peak } = frame;
  if (values.length === 0) return '';
  const step = width / values.length;
  const y = (value: number) => round(top + height - (value / peak) * height);
  const steps = values.map((value, index) => `V${y(value)}H${round(left + (index + 1) * step)}`).join('');
  const ground = top + height;
  return area ? `M${left} ${ground}${steps}V${ground}Z` : `M${left} ${y(values[0] ?? 0)}${steps}`;
}

const NICE_SECONDS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
const MOST_TICKS = 9;

/** Round moments along the picture; `at` is milliseconds since the epoch, or since the beginning of a load. */
export function ticksOf(start: number | null, seconds: number, frame: Frame): { x: number; at: number }[] {
  const step = (NICE_SECONDS.find((nice) => seconds / nice <= MOST_TICKS) ?? seconds) * 1000;
  const begin = start ?? 0;
  // Clock times are round in the zone of the clocks that are shown.
  const shift = start === null ? 0 : new Date(start).getTimezoneOffset() * 60_000;
  const first = Math.ceil((begin - shift) / step) * step + shift;
  const found = [];
  for (let at = first; at <= begin + seconds * 1000; at += step) {
    const x = round(frame.left + ((at - begin) / (seconds * 1000)) * frame.width);
    // A label at the very edge would be cut.
    if (x > frame.left + 14 && x < frame.left + frame.width - 14) found.push({ x, at });
  }
  return found;
}

const round = (value: number) => Math.round(value * 10) / 10;
