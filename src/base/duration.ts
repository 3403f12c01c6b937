import { K3tsError } from './errors.ts';

const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

const number = /[0-9]+(?:\.[0-9]*)?|\.[0-9]+/y;
const unit = /[^0-9.]*/y;
/** About 292 years, what an int64 of nanoseconds holds. */
const longestMs = (2 ** 63 - 1) / 1e6;

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function fail(message: string, text: string): K3tsError {
  return new K3tsError('InvalidDuration', `time: ${message}duration ${JSON.stringify(text)}`);
}

/**
 * Reads a duration as Go writes them (`1h5m30s`, `1.5s`, `-2m`, `0`) into milliseconds, which may
 * have a fraction. Throws K3tsError InvalidDuration with Go's text.
 */
export function parseDuration(text: string): number {
  const isNegative = text.startsWith('-');
  let at = isNegative || text.startsWith('+') ? 1 : 0;
  if (text.slice(at) === '0') return 0;
  if (at === text.length) throw fail('invalid ', text);
  let totalMs = 0;
  while (at < text.length) {
    const amount = match(number, text, at);
    if (amount === '') throw fail('invalid ', text);
    at += amount.length;
    const name = match(unit, text, at);
    if (name === '') throw fail('missing unit in ', text);
    at += name.length;
    const unitMs = unitsMs.get(name);
    if (unitMs === undefined) throw fail(`unknown unit ${JSON.stringify(name)} in `, text);
    totalMs += Number(amount) * unitMs;
  }
  if (totalMs > longestMs) throw fail('invalid ', text);
  return isNegative && totalMs !== 0 ? -totalMs : totalMs;
}

/** Go's Duration.String(): `1h5m30s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  const sign = durationMs < 0 ? '-' : '';
  const totalNs = Math.round(Math.abs(durationMs) * 1e6);
  if (totalNs === 0) return '0s';
  if (totalNs < 1e3) return `${sign}${totalNs}ns`;
  if (totalNs < 1e6) return `${sign}${totalNs / 1e3}µs`;
  if (totalNs < 1e9) return `${sign}${totalNs / 1e6}ms`;
  const hours = Math.floor(totalNs / 3.6e12);
  const minutes = Math.floor((totalNs % 3.6e12) / 6e10);
  const seconds = (totalNs % 6e10) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m${seconds}s`;
  return `${sign}${seconds}s`;
}

/** Two units at most, the second left out when it is zero. */
function pair(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first}${firstUnit}` : `${first}${firstUnit}${second}${secondUnit}`;
}

/** An age as kubectl prints it: `45s`, `3m20s`, `5h12m`, `8d`, `2y30d`. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  // Clocks of two machines may differ by a second.
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return days < 365 * 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}
