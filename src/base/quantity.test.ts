import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  addQuantity,
  canonicalQuantity,
  compareQuantity,
  formatQuantity,
  milliValue,
  negateQuantity,
  parseQuantity,
  quantityOf,
  quantityOfMilli,
  quantityToNumber,
  quantityValue,
  roundUpQuantity,
  subtractQuantity,
} from './quantity.ts';

test('writes quantities in the canonical form of their family', () => {
  const cases: readonly [string, string][] = [
    ['0', '0'],
    ['0Mi', '0'],
    ['-0', '0'],
    ['1', '1'],
    ['007', '7'],
    ['+5', '5'],
    ['-5m', '-5m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1.5', '1500m'],
    ['0.001', '1m'],
    ['.5', '500m'],
    ['1.', '1'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['12345', '12345'],
    ['100000', '100k'],
    ['1024Ki', '1Mi'],
    ['1Gi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000Ki', '1000Ki'],
    ['0.1Ki', '102400m'],
    ['0.5Mi', '512Ki'],
    ['1Ki', '1Ki'],
    ['0.0001Ki', '102400u'],
    ['1e3', '1e3'],
    ['1E6', '1e6'],
    ['12e5', '1200e3'],
    ['1e30', '1e30'],
    ['100n', '100n'],
    ['1e-10', '1e-9'],
    ['0.0000000001', '1n'],
    ['1.00000000001', '1000000001n'],
    ['8Ei', '9223372036854775807'],
    ['7Ei', '7Ei'],
    ['9999999999999999999', '9223372036854775807'],
    ['-9999999999999999999', '-9223372036854775807'],
    ['123456789012345678', '123456789012345678'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['129M', '129M'],
    ['128974848000m', '128974848'],
    ['1e999999999', '9223372036854775807'],
    ['1e-999999999', '1e-9'],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalQuantity(text), expected, text);
});

test('refuses what is no quantity with the texts of upstream', () => {
  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  for (const text of ['', 'abc', '1 Gi', '1Gi ', '1.2.3', '0x10', '1Mb', '1e5x']) {
    assert.throws(() => parseQuantity(text), { code: 'InvalidQuantity', message: format }, text);
  }
  for (const text of ['1mm', '1K', '1i', '1e', '1Mi5', '1ki', '5-3']) {
    assert.throws(
      () => parseQuantity(text),
      { message: "unable to parse quantity's suffix" },
      text,
    );
  }
});

test('refuses a quantity without a digit, but not zeros', () => {
  for (const text of ['Mi', 'm', '.', '+', '-', 'e3', '.k']) {
    const expected = { message: 'unable to parse numeric part of quantity' };
    assert.throws(() => parseQuantity(text), expected, text);
  }
  for (const text of ['0', '000', '-0', '0.', '.0', '0Mi', '00.00']) {
    assert.equal(quantityToNumber(parseQuantity(text)), 0, text);
  }
});

test('compares across scales and families', () => {
  const ascending = [
    '-1',
    '0',
    '1n',
    '1m',
    '999m',
    '1',
    '1k',
    '1Ki',
    '1M',
    '1Mi',
    '1e9',
    '1Gi',
    '7Ei',
  ];
  for (const [index, text] of ascending.entries()) {
    const higher = ascending[index + 1];
    assert.equal(compareQuantity(parseQuantity(text), parseQuantity(text)), 0);
    if (higher === undefined) continue;
    assert.ok(compareQuantity(parseQuantity(text), parseQuantity(higher)) < 0, text);
    assert.ok(compareQuantity(parseQuantity(higher), parseQuantity(text)) > 0, text);
  }
});

test('adds and subtracts exactly and keeps the family of the left operand', () => {
  const sum = (a: string, b: string): string =>
    formatQuantity(addQuantity(parseQuantity(a), parseQuantity(b)));
  assert.equal(sum('1Gi', '512Mi'), '1536Mi');
  assert.equal(sum('100m', '900m'), '1');
  assert.equal(sum('0', '1Gi'), '1Gi');
  assert.equal(sum('1', '1Gi'), '1073741825');
  assert.equal(sum('9007199254740991', '2'), '9007199254740993');
  assert.equal(
    formatQuantity(subtractQuantity(parseQuantity('1Gi'), parseQuantity('1Mi'))),
    '1023Mi',
  );
  assert.equal(formatQuantity(subtractQuantity(parseQuantity('0'), parseQuantity('50m'))), '-50m');
});

test('gives values rounded up', () => {
  assert.equal(quantityValue(parseQuantity('1500m')), 2);
  assert.equal(quantityValue(parseQuantity('-1500m')), -2);
  assert.equal(quantityValue(parseQuantity('2Gi')), 2 * 1024 ** 3);
  assert.equal(milliValue(parseQuantity('0.0001')), 1);
  assert.equal(milliValue(parseQuantity('2')), 2000);
  assert.equal(milliValue(parseQuantity('250m')), 250);
  assert.equal(quantityToNumber(parseQuantity('250m')), 0.25);
  assert.equal(formatQuantity(roundUpQuantity(parseQuantity('1100u'), -3)), '2m');
  assert.equal(formatQuantity(quantityOf(2048, 'BinarySI')), '2Ki');
  assert.equal(formatQuantity(quantityOfMilli(1250)), '1250m');
});

test('arithmetic agrees with integers of nano units', () => {
  const suffixes: readonly [string, bigint][] = [
    ['n', 1n],
    ['u', 10n ** 3n],
    ['m', 10n ** 6n],
    ['', 10n ** 9n],
    ['k', 10n ** 12n],
    ['Ki', 1024n * 10n ** 9n],
    ['Gi', 1024n ** 3n * 10n ** 9n],
  ];
  const amount = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.constantFrom(...suffixes));
  const nanos = (text: string): bigint => {
    const value = parseQuantity(text);
    return (value.big ?? BigInt(value.mantissa)) * 10n ** BigInt(value.scale + 9);
  };
  fc.assert(
    fc.property(amount, amount, ([a, [aSuffix, aNanos]], [b, [bSuffix, bNanos]]) => {
      const left = parseQuantity(`${a}${aSuffix}`);
      const right = parseQuantity(`${b}${bSuffix}`);
      const exactLeft = BigInt(a) * aNanos;
      const exactRight = BigInt(b) * bNanos;
      assert.equal(nanos(formatQuantity(addQuantity(left, right))), exactLeft + exactRight);
      assert.equal(nanos(formatQuantity(subtractQuantity(left, right))), exactLeft - exactRight);
      assert.equal(nanos(formatQuantity(negateQuantity(left))), -exactLeft);
      assert.equal(
        Math.sign(compareQuantity(left, right)),
        exactLeft < exactRight ? -1 : Number(exactLeft > exactRight),
      );
    }),
  );
});
