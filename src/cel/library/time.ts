/** Parts of timestamps, in UTC or a given time zone, and of durations. */
import { type Library, memberOverload, type Overload } from '../check/declaration.ts';
import { durationType, intType, stringType, timestampType } from '../check/type.ts';
import { normalInt } from '../values/integers.ts';
import { dayOfYear, inTimeZone } from '../values/time-zone.ts';
import type { CelDuration, CelTimestamp } from '../values/time.ts';

function part(name: string, read: (local: Date, time: CelTimestamp) => number): Overload[] {
  return [
    memberOverload(`timestamp_to_${name}`, [timestampType], intType, (time: CelTimestamp) =>
      read(inTimeZone(time, 'UTC'), time),
    ),
    memberOverload(
      `timestamp_to_${name}_with_tz`,
      [timestampType, stringType],
      intType,
      (time: CelTimestamp, zone: string) => read(inTimeZone(time, zone), time),
    ),
  ];
}

function whole(name: string, read: (nanos: bigint) => bigint): Overload {
  return memberOverload(`duration_to_${name}`, [durationType], intType, (of: CelDuration) =>
    normalInt(read(of.nanos)),
  );
}

const second = 1_000_000_000n;

export const timeLibrary: Library = {
  getFullYear: part('year', (local) => local.getUTCFullYear()),
  getMonth: part('month', (local) => local.getUTCMonth()),
  getDayOfYear: part('day_of_year', (local) => dayOfYear(local)),
  getDayOfMonth: part('day_of_month', (local) => local.getUTCDate() - 1),
  getDate: part('day_of_month_1_based', (local) => local.getUTCDate()),
  getDayOfWeek: part('day_of_week', (local) => local.getUTCDay()),
  getHours: [
    ...part('hours', (local) => local.getUTCHours()),
    whole('hours', (nanos) => nanos / (3600n * second)),
  ],
  getMinutes: [
    ...part('minutes', (local) => local.getUTCMinutes()),
    whole('minutes', (nanos) => nanos / (60n * second)),
  ],
  getSeconds: [
    ...part('seconds', (local) => local.getUTCSeconds()),
    whole('seconds', (nanos) => nanos / second),
  ],
  getMilliseconds: [
    ...part('milliseconds', (_local, time) => Math.floor(time.nanos / 1_000_000)),
    whole('milliseconds', (nanos) => nanos / 1_000_000n),
  ],
};
