import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { parseSchedule } from './schedule.ts';
import { createOffsetAt, formatInZone } from './time-zone.ts';

for (const [schedule, zone, after, expected] of [
  ['* * * * *', 'UTC', '2026-11-21T11:09:32Z', '2026-11-21T11:10:00Z'],
  ['*/15 * * * *', 'UTC', '2026-11-21T11:45:00Z', '2026-11-21T12:00:00Z'],
  ['20-35/15 * * * *', 'UTC', '2026-11-21T11:21:00Z', '2026-11-21T11:35:00Z'],
  ['5/20 * * * *', 'UTC', '2026-11-21T11:26:00Z', '2026-11-21T11:45:00Z'],
  ['0 0 1 1 *', 'UTC', '2026-11-21T11:00:00Z', '2027-01-01T00:00:00Z'],
  ['30 9 * jan,MAR mon', 'UTC', '2026-11-21T11:00:00Z', '2027-01-04T09:30:00Z'],
  ['0 0 ? * SUN-TUE', 'UTC', '2026-11-21T11:00:00Z', '2026-11-22T00:00:00Z'],
  // both day fields restricted: either is enough
  ['0 0 25 * fri', 'UTC', '2026-11-21T11:00:00Z', '2026-11-25T00:00:00Z'],
  ['0 0 29 2 *', 'UTC', '2026-11-21T11:00:00Z', '2028-02-29T00:00:00Z'],
  ['@hourly', 'UTC', '2026-11-21T11:09:32Z', '2026-11-21T12:00:00Z'],
  ['@midnight', 'UTC', '2026-11-21T11:09:32Z', '2026-11-22T00:00:00Z'],
  ['@weekly', 'UTC', '2026-11-21T11:09:32Z', '2026-11-22T00:00:00Z'],
  ['@every 1h30m', 'UTC', '2026-11-21T11:09:32.500Z', '2026-11-21T12:39:32Z'],
  ['0 9 * * *', 'Europe/Berlin', '2026-11-21T11:00:00Z', '2026-11-22T08:00:00Z'],
  ['0 9 * * *', 'Asia/Kolkata', '2026-11-21T11:00:00Z', '2026-11-22T03:30:00Z'],
  ['TZ=America/New_York 0 9 * * *', 'UTC', '2026-11-21T11:00:00Z', '2026-11-21T14:00:00Z'],
  // an hour that is skipped in spring does not come
  ['30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', '2026-03-09T06:30:00Z'],
  // an hour that comes twice in autumn is met twice
  ['30 1 1 11 *', 'America/New_York', '2026-10-31T12:00:00Z', '2026-11-01T05:30:00Z'],
  ['30 1 1 11 *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z'],
] as const) {
  test(`the time after ${after} of "${schedule}" in ${zone}`, () => {
    const next = parseSchedule(schedule, zone).next(Date.parse(after));
    assert.equal(formatTime(next ?? 0), expected);
  });
}

test('a day that never comes has no next time', () => {
  assert.equal(parseSchedule('0 0 31 2 *', 'UTC').next(0), undefined);
});

test('times are written with the offset of their zone', () => {
  const atMs = Date.parse('2026-11-21T11:09:32Z');
  const inZone = (zone: string): string => formatInZone(atMs, createOffsetAt(zone));
  assert.equal(inZone('UTC'), '2026-11-21T11:09:32Z');
  assert.equal(inZone('Asia/Kolkata'), '2026-11-21T16:39:32+05:30');
  assert.equal(inZone('America/New_York'), '2026-11-21T06:09:32-05:00');
});
