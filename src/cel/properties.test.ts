/** Whatever the input: compiling ends with a program or a CelCompileError, running in bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCelEnvironment } from './environment.ts';
import { CelBudgetError, CelCompileError, CelRuntimeError } from './errors.ts';
import { escapeProperty, unescapeProperty } from './escaping.ts';
import type { CelProgram } from './types.ts';

const environment = createCelEnvironment({
  variables: {
    x: { kind: 'dyn' },
    s: { kind: 'string' },
    i: { kind: 'int' },
    l: { kind: 'list', element: { kind: 'int' } },
    m: { kind: 'map', key: { kind: 'string' }, value: { kind: 'string' } },
  },
  extensions: ['bindings', 'encoders', 'jsonpatch'],
});

function compile(expression: string): CelProgram | undefined {
  try {
    return environment.compile(expression);
  } catch (error) {
    assert.ok(error instanceof CelCompileError, `${expression}: ${String(error)}`);
    assert.ok(error.message.startsWith('compilation failed: ERROR: <input>:'), error.message);
    return undefined;
  }
}

const limit = 5_000;

/** One step may overshoot, by what it costs on the largest value within reach. */
function run(program: CelProgram, variables: Readonly<Record<string, unknown>>): void {
  const budget = { remaining: limit };
  try {
    program.evaluate(variables, budget);
    assert.ok(budget.remaining >= 0);
  } catch (error) {
    const isOurs = error instanceof CelRuntimeError || error instanceof CelBudgetError;
    assert.ok(isOurs, String(error instanceof Error ? error.stack : error));
  }
  assert.ok(program.estimatedCost.min <= program.estimatedCost.max);
}

/** One a line or a word; those with spaces of their own are in the second list. */
const tokens = (
  "x s i l m a in true null 1 2u 1.5 't' b'b' - ! + * / % == < >= && || ? : ( ) [ ] { } , . .? [? " +
  'has( .size() .startsWith( .matches( type( string( int( .sum() dyn( duration( .format([ ' +
  'optional.of( .orValue( r" """'
)
  .split(' ')
  .concat('.map(a, ', '.all(a, ', '.exists(a, b, ', '.optMap(a, ', '.sortBy(a, ')
  .concat('.transformMap(a, b, ', ' ');

const sample = { x: { a: [1, 'two', { b: null }] }, s: 'text', i: 7, l: [3, 1], m: { k: 'v' } };

test('any text compiles or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const program = compile(text);
      if (program !== undefined) run(program, sample);
    }),
    { numRuns: 1500 },
  );
});

test('any sequence of tokens compiles or is refused, and runs in bounds', () => {
  const source = fc.array(fc.constantFrom(...tokens), { maxLength: 16 });
  fc.assert(
    fc.property(source, (parts) => {
      const program = compile(parts.join(''));
      if (program !== undefined) run(program, sample);
    }),
    { numRuns: 4000 },
  );
});

const expressions = fc.letrec<{ node: string; leaf: string }>((tie) => ({
  leaf: fc.constantFrom(
    'x',
    's',
    'i',
    'l',
    'm',
    'x.a',
    "'t'",
    '1',
    '0',
    'true',
    'null',
    '[]',
    '{}',
  ),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .tuple(
        fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '&&', '||', 'in'),
        tie('node'),
        tie('node'),
      )
      .map(([operator, a, b]) => `dyn(${a}) ${operator} dyn(${b})`),
    fc
      .tuple(tie('node'), tie('node'), tie('node'))
      .map(([a, b, c]) => `(dyn(${a}) ? ${b} : dyn(${c}))`),
    fc
      .tuple(
        fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter'),
        tie('node'),
        tie('node'),
      )
      .map(([macro, a, b]) => `dyn(${a}).${macro}(x, dyn(${b}))`),
    fc
      .tuple(fc.constantFrom('size', 'string', 'type', 'int', 'double'), tie('node'))
      .map(([name, a]) => `${name}(dyn(${a}))`),
    fc
      .tuple(
        tie('node'),
        fc.constantFrom('.a', "['k']", '[0]', '.?a', "[?'k']", '.sum()', '.trim()', '.isSorted()'),
      )
      .map(([a, suffix]) => `dyn(${a})${suffix}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `dyn(${a}).contains(dyn(${b}))`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `[dyn(${a}), dyn(${b})]`),
  ),
}));

test('well-formed expressions over any data fail only with errors of the language', () => {
  let compiled = 0;
  fc.assert(
    fc.property(expressions.node, fc.jsonValue(), fc.jsonValue(), (expression, x, s) => {
      const program = compile(expression);
      if (program === undefined) return;
      compiled += 1;
      // Data may break its declaration; that must not break the engine.
      run(program, { ...sample, x, s });
    }),
    { numRuns: 3000 },
  );
  assert.ok(compiled > 500, `only ${compiled} of the expressions compiled`);
});

const exactly: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

test('integers compute like int64', () => {
  const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const operand = fc.oneof(any, fc.bigInt({ min: -10n, max: 10n }));
  const variables = { a: { kind: 'int' }, b: { kind: 'int' } } as const;
  for (const [operator, compute] of Object.entries(exactly)) {
    const program = createCelEnvironment({ variables }).compile(`a ${operator} b`);
    fc.assert(
      fc.property(operand, operand, (a, b) => {
        fc.pre(operator !== '/' || b !== 0n);
        const expected = compute(a, b);
        const evaluate = (): unknown => program.evaluate({ a, b }, { remaining: 100 });
        if (BigInt.asIntN(64, expected) !== expected) assert.throws(evaluate, /integer overflow/);
        else assert.equal(BigInt(evaluate() as number), expected);
      }),
    );
  }
});

test('escaping a property name and back gives the name', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '_', '.', '-', '/', 'if', 'dot', '__'),
  });
  fc.assert(
    fc.property(name, (property) => {
      const escaped = escapeProperty(property);
      if (escaped === undefined) return;
      assert.match(escaped, /^[A-Za-z_][A-Za-z0-9_]*$/);
      assert.equal(unescapeProperty(escaped), property);
    }),
  );
});

test('property names are escaped as in Kubernetes', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['a.a', 'a__dot__a'],
    ['a-a', 'a__dash__a'],
    ['a/a', 'a__slash__a'],
    ['a__a', 'a__underscores__a'],
    ['a.-/__a', 'a__dot____dash____slash____underscores__a'],
    ['a._a', 'a__dot___a'],
    ['a__.__a', 'a__underscores____dot____underscores__a'],
    ['a___a', 'a__underscores___a'],
    ['a____a', 'a__underscores____underscores__a'],
    ['a__dot__a', 'a__underscores__dot__underscores__a'],
    ['namespace', '__namespace__'],
    ['in', '__in__'],
    ['int', 'int'],
    ['_if', '_if'],
  ];
  for (const [property, escaped] of rows) {
    assert.equal(escapeProperty(property), escaped);
    assert.equal(unescapeProperty(escaped), property);
  }
  for (const property of ['@', '1up', '\u{1F451}', '']) {
    assert.equal(escapeProperty(property), undefined);
  }
  for (const escaped of ['__int__extra', '__illegal__']) {
    assert.equal(unescapeProperty(escaped), undefined);
  }
});
