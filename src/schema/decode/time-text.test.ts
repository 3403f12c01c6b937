import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readTime } from './time-text.ts';

test('every day of some years and no other is a date', () => {
  for (const year of ['1900', '2000', '2023', '2024', '2100']) {
    for (let month = 0; month <= 13; month += 1) {
      for (let day = 0; day <= 32; day += 1) {
        const two = (number: number): string => String(number).padStart(2, '0');
        const text = `${year}-${two(month)}-${two(day)}T00:00:00Z`;
        const parsed = Date.parse(text);
        const isReal =
          !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(text.slice(0, 19));
        assert.equal('time' in readTime(text, false), isReal, text);
      }
    }
  }
});

test('clock times end before the next day, minute and hour', () => {
  const cases = [
    ['00:00:00', true],
    ['23:59:59', true],
    ['24:00:00', false],
    ['23:60:00', false],
    ['23:59:60', false],
  ] as const;
  for (const [clock, isTime] of cases) {
    assert.equal('time' in readTime(`2026-11-21T${clock}Z`, false), isTime, clock);
    assert.equal('time' in readTime(`2026-11-21T${clock}+02:00`, false), isTime, `${clock}+02:00`);
  }
});
