import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCelEnvironment } from './environment.ts';

const environment = createCelEnvironment({
  variables: { x: { kind: 'dyn' } },
  messages(name) {
    if (name === 'Point') {
      return { field: (field) => (field === 'at' ? { kind: 'int' } : undefined) };
    }
    if (!name.startsWith('Tree')) return undefined;
    return { field: () => ({ kind: 'dyn' }), nameOf: (field) => `${name}.${field}` };
  },
});

function evaluate(expression: string, x: unknown = {}): unknown {
  return environment.compile(expression).evaluate({ x }, { remaining: 1000 });
}

test('messages are constructed where the environment declares their types', () => {
  assert.deepEqual(evaluate('Point{at: 1}'), { at: 1 });
  assert.deepEqual(evaluate('Tree{a: Tree.a{b: x.b}, c: [Tree.c{}]}', { b: [1] }), {
    a: { b: [1] },
    c: [{}],
  });
  assert.deepEqual(evaluate('Tree{?a: x.?a, ?b: x.?b}', { b: 2 }), { b: 2 });
  assert.deepEqual(environment.compile('Point{at: 1}').resultType, {
    kind: 'abstract',
    name: 'Point',
  });
});

test('what the type does not have is an error of the checker', () => {
  const cases: [string, RegExp][] = [
    ['Other{}', /undeclared reference to 'Other'/],
    ['Point{to: 1}', /undefined field 'to'/],
    ["Point{at: 'x'}", /expected type of field 'at' is 'int' but provided type is 'string'/],
  ];
  for (const [expression, text] of cases) {
    assert.throws(() => environment.compile(expression), text);
  }
});

test('a message in the field of another must have the name of its path', () => {
  const text = /unexpected type name "Tree.b", expected "Tree.a"/;
  assert.throws(() => evaluate('Tree{a: Tree.b{}}'), text);
  assert.throws(() => evaluate('Tree{a: [Tree.b{}]}'), text);
});
