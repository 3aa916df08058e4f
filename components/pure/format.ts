const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes for a person, in powers of 1,000 as disks and phones count: `0 B`, `1.2 MB`, `348 GB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.95 would round to “1000.0”: the next unit begins where rounding would.
  while (unit < UNITS.length - 1 && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

/** `1 file`, `2,000 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** Seconds as a rough remaining time: `a few seconds`, `40 seconds`, `3 minutes`, `2 h 5 min`. */
export function formatRemaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 10) return 'a few seconds';
  if (seconds < 60) return `${Math.ceil(seconds / 10) * 10} seconds`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return formatCount(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return formatCount(Math.round(hours / 24), 'day');
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** A date in a list: today as a time, this year without the year, else with it. `time` and `now` are milliseconds since 1970 UTC. */
export function formatDate(time: number, now: number): string {
  const date = new Date(time);
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) {
    return `Today, ${date.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`;
  }
  const day = { day: 'numeric', month: 'short' } as const;
  return date.toLocaleDateString('en-GB', date.getFullYear() === today.getFullYear() ? day : { ...day, year: 'numeric' });
}

/** The whole moment, for details and tooltips. */
export function formatMoment(time: number): string {
  return new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/** How long ago: `just now`, `5 minutes ago`, `3 days ago`, then a date. */
export function formatAgo(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${formatCount(Math.floor(seconds / 60), 'minute')} ago`;
  if (seconds < 86_400) return `${formatCount(Math.floor(seconds / 3600), 'hour')} ago`;
  if (seconds < 30 * 86_400) return `${formatCount(Math.floor(seconds / 86_400), 'day')} ago`;
  return formatDate(time, now);
}
