/** The parts of a timestamp in a time zone. */
import { CelRuntimeError } from '../errors.ts';
import type { CelTimestamp } from './time.ts';
import { spendWork } from './work.ts';

/** Formatting a date takes as long as going through this many elements. */
const formatWork = 100;
const formatters = new Map<string, Intl.DateTimeFormat>();
/** Zones kept; names come from expressions, and there are some 600 of them. */
const formattersKept = 1_000;

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new CelRuntimeError(`unknown time zone ${zone}`, { cause });
  }
  if (formatters.size < formattersKept) formatters.set(zone, formatter);
  return formatter;
}

function offsetSeconds(zone: string): number | undefined {
  const match = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone);
  if (match === null) return undefined;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60;
  return match[1] === '-' ? -seconds : seconds;
}

/** A Date whose UTC parts are the local parts of the timestamp in the zone. */
export function inTimeZone(timestamp: CelTimestamp, zone: string): Date {
  const instant = timestamp.seconds * 1000;
  if (zone === '' || zone === 'UTC') return new Date(instant);
  const offset = offsetSeconds(zone);
  if (offset !== undefined) return new Date(instant + offset * 1000);
  if (/^[+-]/.test(zone)) throw new CelRuntimeError(`unknown time zone ${zone}`);
  spendWork(formatWork);
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  const local = new Date(0);
  local.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  local.setUTCHours(part('hour'), part('minute'), part('second'));
  return local;
}

/** Days since the first of January, from 0. */
export function dayOfYear(local: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return Math.floor((local.getTime() - start.getTime()) / 86_400_000);
}
