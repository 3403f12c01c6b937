/** Timestamps of whole seconds and nanoseconds, and durations of nanoseconds. */
import { CelRuntimeError } from '../errors.ts';

const nanosPerSecond = 1_000_000_000n;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;
const largestNanos = 2n ** 63n - 1n;
const smallestNanos = -(2n ** 63n);

export class CelTimestamp {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }

  get totalNanos(): bigint {
    return BigInt(this.seconds) * nanosPerSecond + BigInt(this.nanos);
  }

  static fromNanos(total: bigint): CelTimestamp {
    let seconds = total / nanosPerSecond;
    let nanos = total % nanosPerSecond;
    if (nanos < 0n) {
      seconds -= 1n;
      nanos += nanosPerSecond;
    }
    return checkedTimestamp(Number(seconds), Number(nanos));
  }
}

export class CelDuration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export function checkedTimestamp(seconds: number, nanos: number): CelTimestamp {
  if (seconds < firstSecond || seconds > lastSecond)
    throw new CelRuntimeError('timestamp overflow');
  return new CelTimestamp(seconds, nanos);
}

export function checkedDuration(nanos: bigint): CelDuration {
  if (nanos > largestNanos || nanos < smallestNanos) throw new CelRuntimeError('duration overflow');
  return new CelDuration(nanos);
}

const timestampShape =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339; undefined when it is not, or outside the years 1 to 9999. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const match = timestampShape.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  let seconds = date.getTime() / 1000;
  seconds += Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  if (zone.toUpperCase() !== 'Z') {
    const sign = zone.startsWith('-') ? 1 : -1;
    const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
    if (hours > 23 || minutes > 59) return undefined;
    seconds += sign * (hours * 3600 + minutes * 60);
  }
  if (seconds < firstSecond || seconds > lastSecond) return undefined;
  return new CelTimestamp(seconds, Number(fraction.slice(0, 9).padEnd(9, '0')));
}

function fractionText(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}

export function formatTimestamp({ seconds, nanos }: CelTimestamp): string {
  const whole = new Date(seconds * 1000).toISOString().replace(/\.000Z$/, '');
  return `${whole}${fractionText(nanos)}Z`;
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3_600n * nanosPerSecond,
};

/** Go's durations, such as `1h30m`; undefined when it is none. */
export function parseGoDuration(text: string): CelDuration | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const body = text.slice(sign.length);
  if (body === '0') return new CelDuration(0n);
  if (body === '' || body.length > 200) return undefined;
  const term = /(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0n;
  while (term.lastIndex < body.length) {
    const match = term.exec(body);
    if (match === null) return undefined;
    const [, whole = '', fraction = '', unit = ''] = match;
    if (whole === '' && fraction.length <= 1) return undefined;
    const size = unitNanos[unit] ?? 0n;
    total += BigInt(whole === '' ? '0' : whole) * size;
    const digits = fraction.slice(1);
    if (digits !== '') total += (BigInt(digits) * size) / 10n ** BigInt(digits.length);
  }
  const nanos = sign === '-' ? -total : total;
  return nanos > largestNanos || nanos < smallestNanos ? undefined : new CelDuration(nanos);
}

/** Seconds as cel-go writes a duration: `3600s`, `1.5s`. */
export function formatDurationSeconds({ nanos }: CelDuration): string {
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = fractionText(Number(size % nanosPerSecond));
  return `${sign}${size / nanosPerSecond}${fraction}s`;
}
