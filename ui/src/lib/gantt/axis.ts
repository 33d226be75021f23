// The places and words of a time axis.

const NICE_STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400,
].map((seconds) => seconds * 1000);

/** Places for the axis in milliseconds from the start, about six of them. */
export function ticks(span: number, wanted = 7): number[] {
  const step = NICE_STEPS.find((each) => span / each <= wanted) ?? Math.ceil(span / wanted);
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
}

/** A place on the axis: `200 ms`, `15 s`, `2 m`, `1 h`. */
export function tickLabel(place: number): string {
  const seconds = place / 1000;
  if (seconds === 0) return '0';
  if (seconds < 1) return `${Math.round(place)} ms`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return seconds % 60 ? `${Math.floor(seconds / 60)} m ${seconds % 60} s` : `${seconds / 60} m`;
  return `${seconds / 3600} h`;
}
