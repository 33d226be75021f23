// The common cron expressions in words; the others stay as they are.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const NUMBER = /^\d+$/;

/** `every 10 min`, `at :05`, `09:00 daily`, `Mon 07:00`. */
export function cronWords(expression: string): string {
  const parts = expression.trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  if (parts.length !== 5 || day !== '*' || month !== '*') return expression;
  const every = minute.match(/^\*\/(\d+)$/)?.[1];
  if (hour === '*' && weekday === '*') {
    if (minute === '*') return 'every minute';
    if (every && 60 % Number(every) === 0) return `every ${every} min`;
    return NUMBER.test(minute) ? `at :${minute.padStart(2, '0')}` : expression;
  }
  if (!NUMBER.test(minute) || !NUMBER.test(hour)) return expression;
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (weekday === '*') return `${time} daily`;
  return /^[0-7]$/.test(weekday) ? `${DAYS[Number(weekday)]} ${time}` : expression;
}
