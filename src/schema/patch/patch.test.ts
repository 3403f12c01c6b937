import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/deep-freeze.ts';
import * as fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import { applyJsonPatch, applyMergePatch } from './mod.ts';

type Op = Record<string, unknown>;

const document = {
  a: { b: [1, 2, 3], 'x/y~z': 'odd' },
  c: 'text',
  n: null,
};

test('a JSON patch does what RFC 6902 says', () => {
  const cases: readonly [Op[], unknown][] = [
    [[{ op: 'add', path: '/d', value: { e: null } }], { ...document, d: { e: null } }],
    [[{ op: 'replace', path: '/c', value: 1 }], { ...document, c: 1 }],
    [[{ op: 'remove', path: '/a' }], { c: 'text', n: null }],
    [[{ op: 'replace', path: '', value: { z: 1 } }], { z: 1 }],
    [[{ op: 'test', path: '/a/b', value: [1, 2, 3] }], document],
    [[{ op: 'test', path: '/n', value: null }], document],
    [[{ op: 'test', path: '/missing', value: null }], document],
    [[{ op: 'test', path: '/a/x~1y~0z', value: 'odd' }], document],
  ];
  for (const [operations, expected] of cases) {
    assert.deepEqual(applyJsonPatch(deepFreeze(document), operations), expected);
  }
  const lists: readonly [Op[], unknown][] = [
    [[{ op: 'add', path: '/a/b/-', value: 4 }], [1, 2, 3, 4]],
    [[{ op: 'add', path: '/a/b/0', value: 0 }], [0, 1, 2, 3]],
    [[{ op: 'add', path: '/a/b/3', value: 4 }], [1, 2, 3, 4]],
    [[{ op: 'remove', path: '/a/b/1' }], [1, 3]],
    [[{ op: 'remove', path: '/a/b/-1' }], [1, 2]],
    [[{ op: 'replace', path: '/a/b/2', value: 9 }], [1, 2, 9]],
    [[{ op: 'move', from: '/a/b/0', path: '/a/b/2' }], [2, 3, 1]],
    [[{ op: 'copy', from: '/a/b/0', path: '/a/b/-' }], [1, 2, 3, 1]],
  ];
  for (const [operations, expected] of lists) {
    assert.deepEqual(applyJsonPatch(deepFreeze(document), operations).a.b, expected);
  }
});

test('copies made by a JSON patch do not change each other', () => {
  const result = applyJsonPatch(deepFreeze({ a: { b: 1 } }) as Op, [
    { op: 'add', path: '/a/c', value: 2 },
    { op: 'copy', from: '/a', path: '/d' },
    { op: 'add', path: '/a/e', value: 3 },
    { op: 'remove', path: '/d/b' },
  ]);
  assert.deepEqual(result, { a: { b: 1, c: 2, e: 3 }, d: { c: 2 } });
});

test('a JSON patch that does not fit is invalid without saying why', () => {
  const refusals: readonly Op[] = [
    { op: 'test', path: '/c', value: 'other' },
    { op: 'remove', path: '/missing' },
    { op: 'replace', path: '/missing', value: 1 },
    { op: 'add', path: '/missing/child', value: 1 },
    { op: 'add', path: '/a/b/5', value: 1 },
    { op: 'add', path: '/a/b/01x', value: 1 },
    { op: 'remove', path: '/a/b/3' },
    { op: 'add', path: '/c/d', value: 1 },
    { op: 'add', path: 'c', value: 1 },
    { op: 'add', path: '/d' },
    { op: 'move', from: '/a', path: '/a/b/0' },
    { op: 'copy', from: '/missing', path: '/d' },
    { op: 'leap', path: '/c' },
    { op: 'remove', path: '/toString' },
    { op: 'add', path: '/__proto__/x', value: 1 },
  ];
  for (const operation of refusals) {
    assert.throws(
      () => applyJsonPatch(document, [operation]),
      {
        httpCode: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      },
      JSON.stringify(operation),
    );
  }
  assert.throws(() => applyJsonPatch(document, { op: 'add' }), {
    reason: 'BadRequest',
    message: 'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
  });
});

test('what did not fit is told beside it, in the words of the library of upstream', () => {
  const document = { a: { b: 1 }, list: [1] };
  const cases: [object, string][] = [
    [
      { op: 'add', path: '/x/y', value: 1 },
      'add operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [
      { op: 'add', path: '/list/5', value: 1 },
      "error in add for path: '/list/5': Unable to access invalid index: 5: invalid index referenced",
    ],
    [
      { op: 'add', path: '/list/x', value: 1 },
      `error in add for path: '/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [
      { op: 'remove', path: '/nope' },
      "error in remove for path: '/nope': Unable to remove nonexistent key: nope: missing value",
    ],
    [
      { op: 'remove', path: '/x/y' },
      'remove operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [
      { op: 'replace', path: '/a/c', value: 1 },
      'replace operation does not apply: doc is missing key: /a/c: missing value',
    ],
    [
      { op: 'replace', path: '/x/c', value: 1 },
      'replace operation does not apply: doc is missing path: /x/c: missing value',
    ],
    [
      { op: 'move', from: '/x/y', path: '/z' },
      'move operation does not apply: doc is missing from path: /x/y: missing value',
    ],
    [
      { op: 'copy', from: '/a/b', path: '/x/y' },
      'copy operation does not apply: doc is missing destination path: /x/y: missing value',
    ],
    [{ op: 'test', path: '/a/b', value: 2 }, 'testing value /a/b failed: test failed'],
    [{ op: 'test', path: '/a/c', value: 2 }, 'testing value /a/c failed: test failed'],
    [
      { op: 'test', path: '/x/y', value: null },
      'test operation does not apply: is missing path: /x/y: missing value',
    ],
    [{ op: 'jump', path: '/a' }, 'Unexpected kind: jump'],
  ];
  for (const [operation, why] of cases) {
    assert.throws(
      () => applyJsonPatch(document, [operation]),
      (error: Error) => {
        assert.equal((error.cause as Error).message, why);
        return true;
      },
    );
  }
  assert.deepEqual(applyJsonPatch(document, [{ op: 'test', path: '/a/c', value: null }]), document);
});

test('a JSON patch is bounded in operations and in what it copies', () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/c', value: 'text' }));
  assert.throws(() => applyJsonPatch(document, many), {
    httpCode: 413,
    message:
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  });
  const doubling = Array.from({ length: 40 }, (_, index) => ({
    op: 'copy',
    from: '/a',
    path: `/a/copy${index}`,
  }));
  assert.throws(() => applyJsonPatch(document, doubling), { httpCode: 422 });
});

test('a patch shares what it leaves alone', () => {
  const original = { a: { x: 1 }, b: { y: [{ z: 1 }] } };
  const json = applyJsonPatch(original, [{ op: 'replace', path: '/a/x', value: 2 }]);
  assert.equal(json.b, original.b);
  assert.equal(applyMergePatch(original, { a: { x: 2 } }).b, original.b);
});

const key = fc.constantFrom('a', 'b', 'c');
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: 0, max: 3 }),
    fc.constant(null),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value;
const object = fc.dictionary(key, json, { maxKeys: 3, noNullPrototype: true });

test('JSON patches agree with a mutating library', () => {
  const pointer = fc
    .array(fc.constantFrom('a', 'b', 'c', '0', '1', '-'), { minLength: 1, maxLength: 3 })
    .map((steps) => `/${steps.join('/')}`);
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value: json }),
    fc.record({ op: fc.constant('remove'), path: pointer }),
    fc.record({ op: fc.constantFrom('move', 'copy'), from: pointer, path: pointer }),
  );
  let compared = 0;
  fc.assert(
    fc.property(object, fc.array(operation, { maxLength: 5 }), (original, operations) => {
      const before = structuredClone(original);
      const expected = structuredClone(original);
      let result: unknown;
      try {
        result = applyJsonPatch(deepFreeze(original), operations);
      } catch (error) {
        assert.equal((error as { httpCode?: number }).httpCode, 422);
        return;
      }
      assert.deepEqual(original, before);
      const failures = applyPatch(expected, structuredClone(operations));
      // The library is stricter about missing values that are tested to be null.
      if (failures.some((failure) => failure !== null)) return;
      compared++;
      assert.deepEqual(result, expected);
    }),
    { numRuns: 500 },
  );
  assert.ok(compared > 50, `only ${compared} patches fitted`);
});

function mergeNaively(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Op =
    typeof target === 'object' && target !== null && !Array.isArray(target)
      ? structuredClone(target as Op)
      : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergeNaively(result[name], value);
  }
  return result;
}

test('merge patches agree with the pseudo code of RFC 7386', () => {
  fc.assert(
    fc.property(object, object, (original, patch) => {
      const expected = mergeNaively(original, patch);
      assert.deepEqual(applyMergePatch(deepFreeze(original), deepFreeze(patch)), expected);
    }),
  );
});

test('a merge patch is an object and reaches no prototype', () => {
  assert.throws(() => applyMergePatch({}, [1]), {
    reason: 'BadRequest',
    message:
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  });
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'));
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.equal(JSON.stringify(result), '{"__proto__":{"polluted":1}}');
});
