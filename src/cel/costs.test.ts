/** Estimated and actual costs, from the tables of cel-go's and Kubernetes' own tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCelEnvironment } from './environment.ts';
import { CelBudgetError } from './errors.ts';
import { evaluateFor } from './fake-cel.ts';
import type { CelType } from './types.ts';

const text = (maxSize: number): CelType => ({ kind: 'string', maxSize });
const list = (element: CelType, maxSize: number): CelType => ({ kind: 'list', element, maxSize });
const map = (value: CelType, maxSize: number, key: CelType = text(10)): CelType => ({
  kind: 'map',
  key,
  value,
  maxSize,
});
const object: CelType = {
  kind: 'object',
  name: 'Thing',
  fields: new Map([['single', { type: { kind: 'int' } as const }]]),
};

type Row = readonly [expression: string, min: number, max: number, actual?: number];

function checkCosts(
  rows: readonly Row[],
  types: Readonly<Record<string, CelType>> = {},
  values: Readonly<Record<string, unknown>> = {},
): void {
  for (const [expression, min, max, actual] of rows) {
    const options = { variables: types, foldsConstants: false };
    const outcome = evaluateFor(expression, values, options);
    assert.deepEqual(outcome.estimate, [min, max], `estimate of ${expression}`);
    if (actual !== undefined) assert.equal(outcome.cost, actual, `cost of ${expression}`);
  }
}

test('constants and operators', () => {
  checkCosts([
    ['"Hello World!"', 0, 0, 0],
    ['[1, 2, 3]', 10, 10, 10],
    ['{"a": 1, "b": 2, "c": 3}', 30, 30, 30],
    ['[1, 2, 3].all(x, true)', 20, 20, 20],
    ["'123'.matches('[0-9]')", 2, 2, 2],
    ['true || false', 0, 0, 0],
    ['true && false', 0, 0, 0],
    ['1 < 2', 1, 1, 1],
    ['1 == 2', 1, 1, 1],
    ['2 in [1, 2, 3]', 13, 13, 13],
    ['1 + 1', 1, 1, 1],
    ['1 % 1', 1, 1, 1],
    ['true ? 1 : 2', 0, 0, 0],
    ['false ? false : 1 > 3', 0, 1, 1],
    ['size("123")', 1, 1, 1],
    ['string(1)', 1, 1, 1],
    ["'12345678901234567890' == '123456789012345678901234567890'", 1, 2, 2],
  ]);
});

test('variables, selections and loops', () => {
  checkCosts([['input', 1, 1, 1]], { input: list({ kind: 'int' }, 10) }, { input: [1] });
  checkCosts([["input['key']", 2, 2, 2]], { input: map(text(5), 3) }, { input: { key: 'v' } });
  checkCosts(
    [
      ['input[0]', 2, 2, 2],
      ['input[3 - 3]', 3, 3, 3],
    ],
    { input: list(text(5), 3) },
    { input: ['v'] },
  );
  checkCosts(
    [
      ['input.single', 2, 2, 2],
      ['has(input.single)', 1, 1, 0],
    ],
    { input: object },
    { input: { single: 1 } },
  );
  checkCosts([['input.all(x, true)', 2, 302, 2]], { input: list(object, 100) }, { input: [] });
  checkCosts(
    [['input.all(x, x.all(y, true))', 2, 1752, 2]],
    { input: list(list(object, 10), 50) },
    { input: [] },
  );
  checkCosts(
    [['input.all(k, input[k].single > 3)', 2, 82, 9]],
    { input: map(object, 10) },
    { input: { val: { single: 4 } } },
  );
  checkCosts(
    [['input.all(k, input[k].all(x, true))', 2, 187, 2]],
    { input: map(map(object, 10), 5) },
    { input: {} },
  );
  checkCosts([['input.all(k, k.contains(k))', 2, 32, 2]], { input: map(object, 5) }, { input: {} });
  checkCosts(
    [['(x > 2 ? input1 : input2).all(y, true)', 4, 7, 6]],
    { x: { kind: 'int' }, input1: list(object, 1), input2: list(object, 1) },
    { x: 1, input1: [{}], input2: [{}] },
  );
  checkCosts(
    [['(list1 + list2).all(x, true)', 4, 64, 4]],
    { list1: list({ kind: 'int' }, 10), list2: list({ kind: 'int' }, 10) },
    { list1: [], list2: [] },
  );
});

test('functions on text grow with its size', () => {
  const input = 'a'.repeat(500);
  const types = { input: text(500), arg1: text(500) };
  checkCosts(
    [
      ["input.matches('[0-9]')", 3, 103, 103],
      [String.raw`input.matches('\\d+a\\d+b')`, 3, 103, 103],
      ['input.contains(arg1)', 2, 2502, 2502],
      ['input.startsWith(arg1)', 2, 52, 52],
      ['input.endsWith(arg1)', 2, 52, 52],
      ['bytes(input)', 1, 51, 51],
      ['input.size()', 2, 2, 2],
    ],
    types,
    { input, arg1: input },
  );
  checkCosts(
    [['"abcdefg".contains(str1 + str2)', 2, 6]],
    { str1: text(10), str2: text(10) },
    { str1: '', str2: '' },
  );
});

test('libraries of Kubernetes', () => {
  const ints = '[1, 2, 3, 4, 5]';
  const uints = '[uint(1), uint(2), uint(3), uint(4), uint(5)]';
  checkCosts([
    [`${ints}.sum()`, 15, 15, 15],
    [`${uints}.sum()`, 20, 20, 20],
    [`${ints}.isSorted()`, 15, 15, 15],
    [`${ints}.indexOf(3)`, 15, 15, 15],
    [`${uints}.lastIndexOf(uint(3))`, 21, 21, 21],
    ["'01234567890123456789012345678901234567890123456789'.indexOf('123')", 5, 5, 5],
    ["url('https:://kubernetes.io/').getHost()", 4, 4, 4],
    ["url('https:://kubernetes.io/') == url('https:://kubernetes.io/')", 7, 9, 7],
    ["url('https:://kubernetes.io/') == url('http://x.b')", 5, 5, 5],
    ["ip('192.168.0.1')", 2, 2, 2],
    ["ip('2001:db8:3333:4444:5555:6666:7777:8888').family()", 5, 5, 5],
    ["ip('192.168.0.1') == ip('192.168.0.1')", 5, 5, 5],
    ["ip.isCanonical('2001:db8:3333:4444:5555:6666:7777:8888')", 8, 8, 8],
    ["cidr('192.168.0.0/16')", 2, 2, 2],
    ["cidr('192.168.0.0/16').masked()", 3, 3, 3],
    ["cidr('192.168.0.0/16').ip()", 3, 3, 3],
    ["cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30'))", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30')", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsIP(ip('192.0.0.1'))", 4, 7, 4],
    ["cidr('192.168.0.0/16').containsIP('192.169.0.1')", 5, 8, 5],
    ["'ABCDEFGHIJ abcdefghij'.lowerAscii()", 3, 3, 3],
    ["'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii()", 7, 9, 9],
    ["strings.quote('ABCDEFGHIJ abcdefghij')", 3, 3, 3],
    ["strings.quote('ABCDEFGHIJ abcdefghij') == strings.quote('ABCDEFGHIJ abcdefghij')", 7, 11, 9],
    ["'abc 123 def 123'.replace('123', '456')", 3, 3, 3],
    ["'abc 123 def 123'.split(' ', 1)", 3, 3, 3],
    ["'abc 123 def 123'.substring(5, 8)", 2, 2, 2],
    ["'abc 123 def 123'.find('123')", 2, 2, 2],
    ["'abc 123 def 123'.findAll('123', 1)", 2, 2, 2],
    [`quantity("12Mi")`, 1, 1, 1],
    [`quantity("200M") == quantity("0.2G") && quantity("0.2G") == quantity("200M")`, 3, 6, 6],
    [`quantity("50k").add(quantity("20")) == quantity("50.02k")`, 5, 5, 5],
    [`quantity("50k").add(20).sub(quantity("100k")).sub(-50000).asInteger() > 0`, 7, 7, 7],
    [`format.named("dns1123subdomain")`, 1, 1, 1],
    [`format.named("dns1123Subdomain").value().validate("my-name")`, 34, 34, 17],
    [`format.named("dns1123Label").value().validate("my-name")`, 34, 34, 10],
    [`format.named("dns1123Label").value() == format.named("dns1123Label").value()`, 5, 11, 5],
    ['sets.contains([], [])', 21, 21, 21],
  ]);
});

test('authorization checks cost so much that an expression has room for two', () => {
  const environment = createCelEnvironment({
    variables: { authorizer: { kind: 'abstract', name: 'kubernetes.authorization.Authorizer' } },
  });
  const estimate = (expression: string): number =>
    Number(environment.compile(expression).estimatedCost.max);
  assert.equal(estimate("authorizer.path('/healthz')"), 2);
  assert.equal(estimate("authorizer.path('/healthz').check('get').allowed()"), 350003);
  const selector = 'spec.nodeName=example-node-name.fully.qualified.domain.name.example.com';
  const pods = "authorizer.group('').resource('pods')";
  assert.equal(estimate(`${pods}.fieldSelector('${selector}')`), 1821);
});

test('Kubernetes folds constants, which then cost nothing', () => {
  const cost = (expression: string): number => evaluateFor(expression).cost;
  assert.equal(cost('[1, 2, 3]'), 0);
  assert.equal(cost('2 in [1, 2, 3]'), 0);
  assert.equal(cost("duration('1h') > duration('1s')"), 1);
  assert.equal(cost('[1, 2, 3].map(x, x)'), 40);
});

test('an evaluation ends with its budget, at the latest at the limit of one call', () => {
  const items = Array.from({ length: 2000 }, (_value, index) => index);
  const program = createCelEnvironment({
    variables: { items: list({ kind: 'int' }, 2000) },
  }).compile('items.all(a, items.all(b, a + b >= 0))');
  const small = { remaining: 1000 };
  assert.throws(
    () => program.evaluate({ items }, small),
    (error) => error instanceof CelBudgetError && error.limit === 'budget',
  );
  assert.ok(small.remaining < 0 && small.remaining > -10);
  const large = { remaining: 10_000_000 };
  assert.throws(
    () => program.evaluate({ items }, large),
    (error) =>
      error instanceof CelBudgetError &&
      error.limit === 'call' &&
      error.message === 'operation cancelled: actual cost limit exceeded',
  );
  assert.ok(large.remaining < 9_000_000 && large.remaining > 8_999_900);
});

test('steps that cost nothing upstream end too', () => {
  const items = Array.from({ length: 100_000 }, (_value, index) => `item${index}`);
  const variables = { items: { kind: 'list', element: { kind: 'string' } } } as const;
  const endless = [
    'items.all(x, [items] == [items])',
    "items.all(x, '%s'.format([items]) != x)",
    'items.all(x, dyn(x) in dyn(items + items))',
    "items.join(items.join('')).size() > 0",
    'lists.range(9000000).size() > 0',
  ];
  for (const expression of endless) {
    const program = createCelEnvironment({ variables }).compile(expression);
    assert.throws(
      () => program.evaluate({ items }, { remaining: 1e7 }),
      CelBudgetError,
      expression,
    );
  }
});
