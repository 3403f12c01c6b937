import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, humanDuration, parseDuration } from './duration.ts';

test('reads durations as Go does', () => {
  const cases: readonly [string, number][] = [
    ['0', 0],
    ['0s', 0],
    ['-0', 0],
    ['1h5m30s', 3_930_000],
    ['1.5s', 1500],
    ['.5m', 30_000],
    ['2.s', 2000],
    ['-2m', -120_000],
    ['+100ms', 100],
    ['250us', 0.25],
    ['300µs', 0.3],
    ['8760h', 31_536_000_000],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test('refuses what is no duration with the texts of Go', () => {
  const cases: readonly [string, string][] = [
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['s', 'time: invalid duration "s"'],
    ['5', 'time: missing unit in duration "5"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['1h 5m', 'time: unknown unit "h " in duration "1h 5m"'],
    ['9999999h', 'time: invalid duration "9999999h"'],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseDuration(text), { code: 'InvalidDuration', message }, text);
  }
});

test('writes durations as Go does', () => {
  const cases: readonly [number, string][] = [
    [0, '0s'],
    [0.0005, '500ns'],
    [0.25, '250µs'],
    [100, '100ms'],
    [1500, '1.5s'],
    [60_000, '1m0s'],
    [3_930_000, '1h5m30s'],
    [-90_000, '-1m30s'],
  ];
  for (const [durationMs, expected] of cases) assert.equal(formatDuration(durationMs), expected);
});

test('shows ages as kubectl does', () => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  const cases: readonly [number, string][] = [
    [-2 * s, '<invalid>'],
    [-1 * s, '0s'],
    [-500, '0s'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [3 * m + 20 * s, '3m20s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 59 * m, '7h59m'],
    [47 * h, '47h'],
    [48 * h, '2d'],
    [7 * d + 23 * h, '7d23h'],
    [8 * d, '8d'],
    [729 * d, '729d'],
    [730 * d, '2y'],
    [760 * d, '2y30d'],
    [3000 * d, '8y'],
  ];
  for (const [durationMs, expected] of cases) assert.equal(humanDuration(durationMs), expected);
});
