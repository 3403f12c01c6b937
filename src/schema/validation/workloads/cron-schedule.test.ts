import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronErrors, isTimeZone } from './cron-schedule.ts';

test('a schedule is refused in the words of upstream', () => {
  const rows: ReadonlyArray<readonly [schedule: string, error?: string]> = [
    ['* * * * *'],
    ['*/15 0-6/2 1,15 jan-MAR mon'],
    ['5/10 ? * * sun'],
    ['@daily'],
    ['@every 1h30m'],
    ['TZ=Asia/Tokyo 0 0 * * *'],
    ['', 'empty spec string'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-2 * * * *', 'beginning of range (5) beyond end of range (2): 5-2'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['*/2/3 * * * *', 'too many slashes: */2/3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['@often', 'unrecognized descriptor: @often'],
    ['@every day', 'failed to parse duration @every day: time: invalid duration "day"'],
    ['TZ=No/Where * * * * *', 'provided bad location No/Where: unknown time zone No/Where'],
  ];
  for (const [schedule, error] of rows) {
    assert.deepEqual(cronErrors(schedule), error === undefined ? [] : [error], schedule);
  }
});

test('names of time zones are told apart by case', () => {
  assert.equal(isTimeZone('Europe/Berlin'), true);
  assert.equal(isTimeZone('europe/berlin'), false);
  assert.equal(isTimeZone('+01:00'), false);
});
