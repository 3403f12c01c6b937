/** The language itself: values and run-time errors by expression. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from './fake-cel.ts';

type Row = readonly [expression: string, expected: unknown];

function checkAll(rows: readonly Row[], variables: Readonly<Record<string, unknown>> = {}): void {
  for (const [expression, expected] of rows) {
    assert.deepEqual(resultOf(expression, variables), expected, expression);
  }
}

test('literals of every kind', () => {
  checkAll([
    ['null', null],
    ['true', true],
    ['42', 42],
    ['-42', -42],
    ['0x1F', 31],
    ['42u', 42],
    ['0xFFu', 255],
    ['1.5', 1.5],
    ['-1.5e3', -1500],
    ['.5', 0.5],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615u', 18446744073709551615n],
    [`'a' + "b" + '''c''' + """d"""`, 'abcd'],
    [`'''a'b''c'''`, "a'b''c"],
    ["'''two\nlines'''", 'two\nlines'],
    [`r'\\d+' + R"\\n"`, '\\d+\\n'],
    [
      String.raw`'\a\b\f\n\r\t\v\\\'\"\?\x41\101\u00e9\U0001F600'`,
      '\x07\b\f\n\r\t\v\\\'"?AA\u00e9\u{1F600}',
    ],
    [String.raw`b'\xff\x00a'`, Buffer.from([255, 0, 97]).toString('base64')],
    [`b'\u00e9'`, Buffer.from('\u00e9').toString('base64')],
    ['[1, 2,]', [1, 2]],
    [`{'a': 1, 'b': 2,}`, { a: 1, b: 2 }],
    ['1 // comment\n + 2', 3],
  ]);
});

test('integers overflow instead of wrapping', () => {
  checkAll([
    ['9223372036854775807 + 1', '!integer overflow'],
    ['-9223372036854775808 - 1', '!integer overflow'],
    ['9223372036854775807 * 2', '!integer overflow'],
    ['-(-9223372036854775808)', '!integer overflow'],
    ['-9223372036854775808 / -1', '!integer overflow'],
    ['9007199254740991 + 2', 9007199254740993n],
    ['9007199254740993 - 9007199254740992', 1],
    ['3037000500 * 3037000500', '!integer overflow'],
    ['3037000499 * 3037000499', 9223372030926249001n],
    ['18446744073709551615u + 1u', '!unsigned integer overflow'],
    ['1u - 2u', '!unsigned integer overflow'],
    ['1 / 0', '!division by zero'],
    ['1u / 0u', '!division by zero'],
    ['1 % 0', '!modulus by zero'],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['-7 % 3', -1],
    ['1.0 / 0.0', Number.POSITIVE_INFINITY],
  ]);
});

test('numbers of different types compare by value', () => {
  checkAll([
    ['1 < 1.5', true],
    ['1u <= 1', true],
    ['dyn(1) == 1.0', true],
    ['dyn(1u) == 1', true],
    ['dyn(1) == dyn("1")', false],
    ['9223372036854775807 < 9223372036854775808.0', true],
    ['1 in [dyn(1.0)]', true],
    ["{1: 'x'}[dyn(1.0)]", 'x'],
    ["{1: 'x'}[dyn(1u)]", 'x'],
    ['0.0 == -0.0', true],
    ["double('NaN') == double('NaN')", false],
    ["double('NaN') < 1.0", false],
    ["double('NaN') >= 1.0", false],
    ["'a' < 'b' && 'Z' < 'a'", true],
    ["'\uff5e' < '\u{1F600}'", true],
    ["b'a' < b'b'", true],
    ['false < true', true],
  ]);
});

test('a deciding side absorbs the error of the other', () => {
  const variables = { x: {} };
  checkAll(
    [
      ['x.a && false', false],
      ['false && x.a', false],
      ['x.a || true', true],
      ['true || x.a', true],
      ['x.a && true', '!no such key: a'],
      ['x.a || false', '!no such key: a'],
      ['x.a || x.b', '!no such key: a'],
      ['true ? 1 : x.a', 1],
      ['x.a ? 1 : 2', '!no such key: a'],
      ['[1, 2].all(i, x.a == i || i > 0)', true],
      ['[1, 2].exists(i, x.a == i)', '!no such key: a'],
      ['[1, 2].exists(i, i == 2 || x.a == i)', true],
      ['[1, 2].all(i, i == 2 ? false : x.a)', false],
      ['[1, 2].exists_one(i, x.a == i)', '!no such key: a'],
      ['[1, 2].map(i, x.a)', '!no such key: a'],
    ],
    variables,
  );
});

test('fields, elements and their absence', () => {
  const variables = { x: { a: { b: null }, l: [1, 'two', 3.5], n: null, s: 'text' } };
  checkAll(
    [
      ['x.a.b', null],
      ['x.a.c', '!no such key: c'],
      ["x['a']['b']", null],
      ['x.l[1]', 'two'],
      ['x.l[3]', '!index out of bounds: 3'],
      ['x.l[-1]', '!index out of bounds: -1'],
      ['x.s.t', '!no such key: t'],
      ['has(x.a)', true],
      ['has(x.z)', false],
      ['has(x.a.b)', true],
      ['has(x.n.z)', false],
      ['has(x.z.y)', '!no such key: z'],
      ['size(x.l) == 3 && x.l.size() == 3', true],
      ["'a' in x && !('z' in x)", true],
      ['type(x.l[2]) == double && type(x.l[0]) == int', true],
      ['x.n == null', true],
      ['x.s + 1', '!no such overload'],
      ['x.s.startsWith(x.l[0])', '!no such overload: startsWith(string, int)'],
      ['x.l.matches("a")', '!no such overload: matches(list, string)'],
      ['x.a < x.l', '!no such overload'],
      ['!x.s', '!no such overload'],
      ['x.s ? 1 : 2', '!no such overload'],
    ],
    variables,
  );
});

test('comprehensions over one and two variables', () => {
  checkAll([
    ['[1, 2, 3].all(x, x > 0)', true],
    ['[].all(x, false)', true],
    ['[1, 2, 3].exists(x, x == 2)', true],
    ['[1, 2, 2].exists_one(x, x == 2)', false],
    ['[1, 2].existsOne(x, x == 2)', true],
    ['[1, 2, 3].map(x, x * 2)', [2, 4, 6]],
    ['[1, 2, 3].map(x, x > 1, x * 2)', [4, 6]],
    ['[1, 2, 3].filter(x, x != 2)', [1, 3]],
    [`{'a': 1, 'b': 2}.filter(k, k == 'b')`, ['b']],
    [`{'a': 1}.all(k, k == 'a')`, true],
    [
      '[1, 2].map(x, [10, 20].map(y, x + y))',
      [
        [11, 21],
        [12, 22],
      ],
    ],
    ['[1, 2].map(x, [x].map(x, x + 1)[0] + x)', [3, 5]],
    ['[1, 2, 3].all(i, v, i < v)', true],
    [`{'hello': 'world', 'taco': 'taco'}.all(k, v, k != v)`, false],
    [`{'a': 'x'}.exists(k, v, v == 'x')`, true],
    ['[1, 1, 2].existsOne(i, v, i == 2 && v == 2)', true],
    ['[1, 2, 3].transformList(i, v, i * v + v)', [1, 4, 9]],
    ['[1, 2, 3].transformList(i, v, i % 2 == 0, v)', [1, 3]],
    [`{'a': 'b'}.transformMap(k, v, v + '!')`, { a: 'b!' }],
    ['[5, 6].transformMap(i, v, v > 5, v)', { 1: 6 }],
    [`{'a': 'b'}.transformMapEntry(k, v, {v: k})`, { b: 'a' }],
    [
      `{'a': 'x', 'b': 'x'}.transformMapEntry(k, v, {v: k})`,
      '!insert failed: key x already exists',
    ],
  ]);
});

test('optional values', () => {
  checkAll(
    [
      ['x.?a.orValue(0)', 1],
      ['x.?z.orValue(0)', 0],
      ['x.?z.?y.z.hasValue()', false],
      ["x[?'a'].value()", 1],
      ['x.l[?5].orValue(9)', 9],
      ['optional.none().value()', '!optional.none() dereference'],
      ["optional.ofNonZeroValue('').hasValue()", false],
      ["optional.ofNonZeroValue('a').value()", 'a'],
      ['x.?z.or(optional.of(3)).value()', 3],
      ['x.?a.optMap(v, v + 1).value()', 2],
      ['x.?z.optMap(v, v + 1).hasValue()', false],
      ['x.?a.optFlatMap(v, optional.of(v * 3)).value()', 3],
      ['[1, ?x.?z, ?x.?a]', [1, 1]],
      ["{'k': 1, ?'m': x.?z}", { k: 1 }],
      ['optional.of(1) == optional.of(1) && optional.none() != optional.of(1)', true],
      ['x.?a.orValue(1 / 0)', 1],
      ['x.l.first().value() + [5].last().value()', 15],
    ],
    { x: { a: 1, l: [10] } },
  );
});

test('conversions', () => {
  checkAll([
    ["int('12') + int(3.9) + int(4u)", 19],
    ["int('abc')", "!type conversion error from 'string' to 'int'"],
    ['int(1e19)', '!integer overflow'],
    ['uint(-1)', '!unsigned integer overflow'],
    ["double('1.5') + double(1)", 2.5],
    ['string(1) + string(2u) + string(true)', '12true'],
    ['string(1.0) + string(1e6) + string(0.00001)', '11e+061e-05'],
    ["string(b'abc')", 'abc'],
    [String.raw`string(b'\xff')`, '!invalid UTF-8 in bytes, cannot convert to string'],
    ["bool('true') && !bool('F')", true],
    ["size(bytes('\u00e9')) == 2 && size('\u00e9') == 1 && size('\u{1F600}') == 1", true],
    ["[type(1), type('a')] == [int, string]", true],
    ['type(type(1)) == type', true],
    ["string(duration('1h30m'))", '5400s'],
    ["string(duration('1.5s'))", '1.5s'],
    ["string(timestamp('2024-02-29T01:02:03.450+02:00'))", '2024-02-28T23:02:03.45Z'],
    ["int(timestamp('1970-01-01T00:01:00Z'))", 60],
    ['string(timestamp(60))', '1970-01-01T00:01:00Z'],
  ]);
});

test('timestamps and durations', () => {
  const t = "timestamp('2009-02-13T23:31:30.123Z')";
  checkAll([
    [`${t}.getFullYear()`, 2009],
    [`${t}.getMonth()`, 1],
    [`${t}.getDate()`, 13],
    [`${t}.getDayOfMonth()`, 12],
    [`${t}.getDayOfWeek()`, 5],
    [`${t}.getDayOfYear()`, 43],
    [`${t}.getHours()`, 23],
    [`${t}.getMinutes()`, 31],
    [`${t}.getSeconds()`, 30],
    [`${t}.getMilliseconds()`, 123],
    [`${t}.getDate('Australia/Sydney')`, 14],
    [`${t}.getHours('America/New_York')`, 18],
    [`${t}.getMinutes('Asia/Kathmandu')`, 16],
    [`${t}.getHours('+11:00')`, 10],
    [`${t}.getHours('-02:30')`, 21],
    [`${t}.getHours('No/Where')`, '!unknown time zone No/Where'],
    [`string(${t} + duration('1h'))`, '2009-02-14T00:31:30.123Z'],
    [`${t} - ${t} == duration('0s')`, true],
    [`${t} < ${t} + duration('1ns')`, true],
    ["duration('90m').getHours() == 1 && duration('90m').getMinutes() == 90", true],
    ["duration('1s') + duration('1ms') == duration('1001ms')", true],
    ["timestamp('9999-12-31T23:59:59Z') + duration('1s')", '!timestamp overflow'],
  ]);
});
