// Times as people read them: the clock first, then the distance. All inputs are milliseconds since the epoch.

const DAY = 86_400_000;

/** An ISO 8601 time of the API in milliseconds; null stays null. */
export function millis(time: string | null | undefined): number | null {
  if (!time) return null;
  const value = Date.parse(time);
  return Number.isNaN(value) ? null : value;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** `09:44:12` today, `Wed 09:44` within a week, `22 Nov` beyond. */
export function clock(at: number, now: number, { seconds = true }: { seconds?: boolean } = {}): string {
  const date = new Date(at);
  const hours = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (sameDay(at, now)) return seconds ? `${hours}:${pad(date.getSeconds())}` : hours;
  if (Math.abs(at - now) < 6 * DAY) return `${date.toLocaleDateString('en-GB', { weekday: 'short' })} ${hours}`;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

/** `09:06:42.118` */
export function preciseClock(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** The whole time, for titles. */
export function fullTime(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** `24 ms`, `0.4 s`, `42s`, `12m 31s`, `1h 12m`, `5d 21h`; of a span in milliseconds. */
export function duration(span: number): string {
  const seconds = Math.max(0, span) / 1000;
  if (seconds === 0) return '0s';
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

/** A growing duration: whole seconds, so that it does not flicker. */
export function elapsed(span: number): string {
  const seconds = Math.max(0, Math.floor(span / 1000));
  return seconds < 10 ? `${seconds}s` : duration(seconds * 1000);
}

/** How long a pass took: `41 ms`, then as a duration. */
export function fineDuration(seconds: number): string {
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : duration(seconds * 1000);
}

/** `22 s`, `11 m`, `2 h 18 m`, `5 d 21 h`: a distance without its direction. */
export function distance(span: number): string {
  const seconds = Math.round(Math.abs(span) / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} m`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** `in 11 m`, `now`, `3 s ago`. */
export function relative(at: number, now: number): string {
  if (Math.abs(at - now) < 1000) return 'now';
  return at > now ? `in ${distance(at - now)}` : `${distance(now - at)} ago`;
}
