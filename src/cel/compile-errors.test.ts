/** Texts of compile errors, as `kubectl apply` shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCelEnvironment } from './environment.ts';
import { CelCompileError } from './errors.ts';
import type { CelType } from './types.ts';

const self: CelType = {
  kind: 'object',
  name: 'Spec',
  fields: new Map<string, { type: CelType }>([
    ['replicas', { type: { kind: 'int' } }],
    ['name', { type: { kind: 'string' } }],
    ['items', { type: { kind: 'list', element: { kind: 'string' } } }],
    ['namespace', { type: { kind: 'string' } }],
  ]),
};
const environment = createCelEnvironment({ variables: { self } });

function compileError(expression: string, options = {}): CelCompileError {
  try {
    environment.compile(expression, options);
  } catch (error) {
    assert.ok(error instanceof CelCompileError, `${expression}: ${String(error)}`);
    return error;
  }
  return assert.fail(`${expression} compiled`);
}

/** One error, with the dots that lead to its column. */
function single(expression: string, column: number, message: string): void {
  assert.equal(
    compileError(expression).message,
    `compilation failed: ERROR: <input>:1:${column}: ${message}\n | ${expression}\n | ${'.'.repeat(column - 1)}^`,
  );
}

const operand =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

test('each error points to its column in the source', () => {
  single('x > 1', 1, "undeclared reference to 'x' (in container '')");
  single('self.x > 1', 5, "undefined field 'x'");
  single('foo(1)', 4, "undeclared reference to 'foo' (in container '')");
  single("self.name.foo('a')", 14, "undeclared reference to 'foo' (in container '')");
  single('self.replicas.x', 14, "type 'int' does not support field selection");
  single('self.name == 1', 11, "found no matching overload for '_==_' applied to '(string, int)'");
  single('1 == 1.0', 3, "found no matching overload for '_==_' applied to '(int, double)'");
  single(
    'self.name.startsWith(1)',
    21,
    "found no matching overload for 'startsWith' applied to 'string.(int)'",
  );
  single("[1, 'a']", 5, "expected type 'int' but found 'string'");
  single("{'a': 1, 'b': 'c'}", 15, "expected type 'int' but found 'string'");
  single(
    'self.items.all(i, i)',
    15,
    "found no matching overload for '_&&_' applied to '(bool, string)'",
  );
  single(
    'self.replicas.all(i, true)',
    5,
    "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
  );
  single('self.items.all(1, true)', 16, 'argument must be a simple name');
  single('has(self)', 5, 'invalid argument to has() macro');
  single('self.namespace == as', 19, 'reserved identifier: as');
  single(
    "true ? 1 : 'a'",
    6,
    "found no matching overload for '_?_:_' applied to '(bool, int, string)'",
  );
});

test('constants that can never work are refused', () => {
  single("'a'.matches('[')", 13, 'invalid matches argument');
  single("duration('1x')", 10, 'invalid duration argument');
  single("timestamp('now')", 11, 'invalid timestamp argument');
  single('99999999999999999999', 1, 'invalid int literal');
  single(String.raw`'\q'`, 1, 'unable to unescape string');
});

test('syntax errors name what was expected', () => {
  single('1 +', 4, `Syntax error: mismatched input '<EOF>' expecting ${operand}`);
  single('', 1, `Syntax error: mismatched input '<EOF>' expecting ${operand}`);
  single('(1', 3, "Syntax error: missing ')' at '<EOF>'");
  single('1 2', 3, "Syntax error: extraneous input '2' expecting <EOF>");
  single('1 2 3', 3, "Syntax error: mismatched input '2' expecting <EOF>");
  single('self.items[0', 13, "Syntax error: mismatched input '<EOF>' expecting ']'");
  single('true ? 1', 9, "Syntax error: mismatched input '<EOF>' expecting ':'");
});

test('a minus alone has two errors', () => {
  assert.equal(
    compileError('-').message,
    [
      "compilation failed: ERROR: <input>:1:2: Syntax error: no viable alternative at input '-'",
      ' | -',
      ' | .^',
      `ERROR: <input>:1:2: Syntax error: mismatched input '<EOF>' expecting ${operand}`,
      ' | -',
      ' | .^',
    ].join('\n'),
  );
});

test('all errors are told, in the order of the source', () => {
  assert.equal(
    compileError('a + b').message,
    [
      "compilation failed: ERROR: <input>:1:1: undeclared reference to 'a' (in container '')",
      ' | a + b',
      ' | ^',
      "ERROR: <input>:1:5: undeclared reference to 'b' (in container '')",
      ' | a + b',
      ' | ....^',
    ].join('\n'),
  );
});

test('an error on a later line shows that line, wide characters under wide dots', () => {
  assert.equal(
    compileError("'\u4e16' ==\n\t'\u4e16' + x").message,
    [
      "compilation failed: ERROR: <input>:2:8: undeclared reference to 'x' (in container '')",
      " |  '\u4e16' + x",
      ' | ..\uff0e....^',
    ].join('\n'),
  );
});

test('cel.bind and message construction are not declared', () => {
  assert.match(compileError('cel.bind(a, 1, a)').message, /undeclared reference to 'bind'/);
  assert.match(compileError('Foo{a: 1}').message, /undeclared reference to 'Foo'/);
  const bindings = createCelEnvironment({ variables: {}, extensions: ['bindings'] });
  const program = bindings.compile('cel.bind(a, 20, a + a)');
  assert.equal(program.evaluate({}, { remaining: 1000 }), 40);
});

test('the result must have one of the types asked for', () => {
  const bool = { resultTypes: [{ kind: 'bool' }] };
  assert.equal(compileError('self.name', bool).message, 'must evaluate to bool');
  const both = { resultTypes: [{ kind: 'bool' }, { kind: 'null' }] };
  assert.equal(compileError('1', both).message, 'must evaluate to one of [bool null]');
  assert.equal(
    environment.compile('self.replicas > 1', { resultTypes: [{ kind: 'bool' }] }).resultType.kind,
    'bool',
  );
});

test('nesting, chains and sizes are limited', () => {
  const tooDeep = /expression recursion limit exceeded: 250/;
  assert.match(compileError('('.repeat(300) + '1' + ')'.repeat(300)).message, tooDeep);
  assert.match(compileError('1' + ' + 1'.repeat(300)).message, tooDeep);
  assert.match(compileError('self' + '.x'.repeat(300)).message, tooDeep);
  assert.match(
    compileError(`'${'a'.repeat(100_000)}'`).message,
    /expression code point size exceeds limit: size: 100002, limit 100000/,
  );
  // Conditions are balanced, so long ones are fine.
  const long = environment.compile('true' + ' && true'.repeat(2000));
  assert.equal(long.evaluate({}, { remaining: 10_000 }), true);
});
