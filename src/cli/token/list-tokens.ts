import { timeText } from './bootstrap-token.ts';
import type { BootstrapToken } from './bootstrap-token.ts';

const header = ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'];
const minWidth = 10;
const gap = 3;

/** Tokens as k3s' table, without their secrets. */
export function renderTokens(tokens: readonly BootstrapToken[], nowMs: number): string {
  const orNone = (text: string): string => (text === '' ? '<none>' : text);
  const rows = tokens.map((token) => [
    token.id,
    token.expiresMs === undefined ? '<forever>' : shortDuration(token.expiresMs - nowMs),
    token.expiresMs === undefined ? '<never>' : timeText(token.expiresMs),
    orNone(token.usages.join(',')),
    orNone(token.description),
    orNone(token.groups.join(',')),
  ]);
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(minWidth, ...all.map((row) => (row[column] ?? '').length + gap)),
  );
  const last = header.length - 1;
  return all
    .map((row) => row.map((cell, i) => (i === last ? cell : cell.padEnd(widths[i] ?? 0))).join(''))
    .map((line) => `${line}\n`)
    .join('');
}

/** Tokens as k3s prints them for programs, with their secrets. */
export function renderTokensJson(tokens: readonly BootstrapToken[]): string {
  const values = tokens.map(({ id, secret, description, expiresMs, usages, groups }) => ({
    token: `${id}.${secret}`,
    ...(description === '' ? {} : { description }),
    ...(expiresMs === undefined ? {} : { expires: timeText(expiresMs) }),
    ...(usages.length === 0 ? {} : { usages }),
    ...(groups.length === 0 ? {} : { groups }),
  }));
  return `${JSON.stringify(values)}\n`;
}

/** One unit, the largest that counts at least one: `23h`, `59m`. */
export function shortDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 60) return `${Math.max(seconds, 0)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24 / 365)}y`;
}
