import { parseDuration } from '#base/duration.ts';
import { createOffsetAt } from './time-zone.ts';
import type { OffsetAt } from './time-zone.ts';

export interface Schedule {
  /** The first time after the given one; undefined when there is none in five years. */
  next(afterMs: number): number | undefined;
  /** The distance of its times, when it has a fixed one that counts from the last time. */
  readonly stepMs: number | undefined;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const horizonMs = 5 * 366 * dayMs;

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const monthNames = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const dayNames = 'sun mon tue wed thu fri sat'.split(' ');

interface Field {
  readonly values: ReadonlySet<number>;
  /** `*` or `?`, also with a step: then the other of the two day fields decides alone. */
  readonly isAny: boolean;
}

interface Fields {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

/**
 * Reads a schedule that validation has let pass. Same times as upstream's parser: hours that a zone
 * skips are skipped, hours that it has twice count twice. Throws a RangeError for an unknown zone.
 */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const prefix = /^(?:CRON_)?TZ=(\S+)\s+/.exec(text);
  const body = text.slice(prefix?.[0].length ?? 0).trim();
  if (body.startsWith('@every ')) return everySchedule(body.slice('@every '.length));
  const offsetAt = createOffsetAt(prefix?.[1] ?? timeZone);
  const parts = (descriptors[body] ?? body).split(/\s+/);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts;
  if (parts.length !== 5) {
    throw new RangeError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`);
  }
  const fields: Fields = {
    minute: parseField(minute, 0, 59),
    hour: parseField(hour, 0, 23),
    dayOfMonth: parseField(dayOfMonth, 1, 31),
    month: parseField(month, 1, 12, monthNames),
    dayOfWeek: parseField(dayOfWeek, 0, 6, dayNames),
  };
  return { next: (afterMs) => nextTime(fields, offsetAt, afterMs), stepMs: undefined };
}

/** At a fixed distance from the last time, in whole seconds. */
function everySchedule(text: string): Schedule {
  const stepMs = Math.max(Math.floor(parseDuration(text) / 1000), 1) * 1000;
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + stepMs, stepMs };
}

function parseField(text: string, min: number, max: number, names: readonly string[] = []): Field {
  const values = new Set<number>();
  let isAny = false;
  const numberOf = (value: string): number => {
    const index = names.indexOf(value.toLowerCase());
    const number = index >= 0 ? index + min : /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isNaN(number)) throw new RangeError(`failed to parse int from ${value}`);
    return number;
  };
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/');
    const [first = '', last] = range.split('-');
    const isStar = first === '*' || first === '?';
    if (isStar) isAny ||= step === undefined || step === '1';
    const from = isStar ? min : numberOf(first);
    const alone = step === undefined ? from : max;
    const to = isStar ? max : last === undefined ? alone : numberOf(last);
    const by = step === undefined ? 1 : numberOf(step);
    if (from < min || to > max || from > to || by === 0) {
      throw new RangeError(`value out of range (${min} - ${max}): ${part}`);
    }
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return { values, isAny };
}

/** Both day fields must hold, unless both are restricted: then one of them is enough. */
function isDay({ dayOfMonth, dayOfWeek }: Fields, local: Date): boolean {
  const byMonth = dayOfMonth.values.has(local.getUTCDate());
  const byWeek = dayOfWeek.values.has(local.getUTCDay());
  return dayOfMonth.isAny || dayOfWeek.isAny ? byMonth && byWeek : byMonth || byWeek;
}

function nextTime(fields: Fields, offsetAt: OffsetAt, afterMs: number): number | undefined {
  let at = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs;
  while (at - afterMs < horizonMs) {
    const local = new Date(at + offsetAt(at));
    const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
    if (!fields.month.values.has(month + 1)) {
      at = instantOf(Date.UTC(year, month + 1, 1), offsetAt, at);
    } else if (!isDay(fields, local)) {
      at = instantOf(Date.UTC(year, month, day + 1), offsetAt, at);
    } else if (!fields.hour.values.has(local.getUTCHours())) {
      at += hourMs - local.getUTCMinutes() * minuteMs;
    } else if (!fields.minute.values.has(local.getUTCMinutes())) {
      at += minuteMs;
    } else return at;
  }
  return undefined;
}

/** The instant of a local time, or right after the gap that it falls in; always after `at`. */
function instantOf(localMs: number, offsetAt: OffsetAt, at: number): number {
  let instant = localMs - offsetAt(localMs - offsetAt(at));
  if (instant + offsetAt(instant) < localMs) instant += hourMs;
  return Math.max(instant, at + minuteMs);
}
