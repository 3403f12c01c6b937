import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/deep-freeze.ts';
import * as fc from 'fast-check';
import { applyMergePatch, applyStrategicPatch } from './mod.ts';

const podType = 'io.k8s.api.core.v1.Pod';
const deploymentType = 'io.k8s.api.apps.v1.Deployment';

type Json = Record<string, unknown>;

function patchSpec(spec: Json, patch: Json, typeName = podType): Json {
  const original = deepFreeze({ metadata: { name: 'a' }, spec });
  const frozen = deepFreeze({ spec: patch });
  return applyStrategicPatch(original, frozen, typeName).spec;
}

const two = {
  containers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'y' },
  ],
};

test('lists merge by their key, atomic lists and unknown ones are replaced', () => {
  assert.deepEqual(patchSpec(two, { containers: [{ name: 'b', image: 'z' }] }), {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'z' },
    ],
  });
  const args = { containers: [{ name: 'a', args: ['1', '2'] }] };
  assert.deepEqual(patchSpec(args, { containers: [{ name: 'a', args: ['3'] }] }), {
    containers: [{ name: 'a', args: ['3'] }],
  });
});

test('a new item comes first, as upstream has it', () => {
  assert.deepEqual(patchSpec(two, { containers: [{ name: 'c', image: null }] }), {
    containers: [{ name: 'c' }, ...two.containers],
  });
});

test('$setElementOrder orders what the patch names and keeps the rest', () => {
  const patch = {
    '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
    containers: [{ name: 'c', image: 'new' }],
  };
  const names = (patchSpec(two, patch)['containers'] as Json[]).map(({ name }) => name);
  assert.deepEqual(names, ['b', 'c', 'a']);
  const onlyOrder = { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] };
  const reordered = patchSpec(two, onlyOrder)['containers'] as Json[];
  assert.deepEqual(
    reordered.map(({ name }) => name),
    ['b', 'a'],
  );
});

test('$patch deletes an item, replaces a list and replaces or empties an object', () => {
  assert.deepEqual(patchSpec(two, { containers: [{ name: 'a', $patch: 'delete' }] }), {
    containers: [{ name: 'b', image: 'y' }],
  });
  const replaced = patchSpec(two, { containers: [{ name: 'c' }, { $patch: 'replace' }] });
  assert.deepEqual(replaced, { containers: [{ name: 'c' }] });
  const security = { securityContext: { runAsUser: 1, fsGroup: 2 } };
  assert.deepEqual(patchSpec(security, { securityContext: { $patch: 'replace', fsGroup: 3 } }), {
    securityContext: { fsGroup: 3 },
  });
  assert.deepEqual(patchSpec(security, { securityContext: { $patch: 'delete' } }), {
    securityContext: {},
  });
});

test('$retainKeys drops what it does not name', () => {
  const spec = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } };
  const patch = { strategy: { $retainKeys: ['type'], type: 'Recreate' } };
  assert.deepEqual(patchSpec(spec, patch, deploymentType), { strategy: { type: 'Recreate' } });
  const volumes = { volumes: [{ name: 'v', emptyDir: {} }] };
  const moved = {
    volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }],
  };
  assert.deepEqual(patchSpec(volumes, moved), {
    volumes: [{ name: 'v', hostPath: { path: '/' } }],
  });
});

test('scalar lists merge as sets and lose what $deleteFromPrimitiveList names', () => {
  const original = deepFreeze({ metadata: { name: 'a', finalizers: ['x', 'y'] } });
  const finalizers = (metadata: Json): unknown =>
    applyStrategicPatch(original, { metadata }, podType).metadata.finalizers;
  assert.deepEqual(finalizers({ finalizers: ['z', 'x'] }), ['z', 'x', 'y']);
  assert.deepEqual(finalizers({ '$deleteFromPrimitiveList/finalizers': ['x'] }), ['y']);
  assert.deepEqual(
    finalizers({
      '$setElementOrder/finalizers': ['z', 'y'],
      '$deleteFromPrimitiveList/finalizers': ['x'],
      finalizers: ['z'],
    }),
    ['z', 'y'],
  );
});

test('null removes and instructions never reach the object', () => {
  assert.deepEqual(patchSpec({ nodeName: 'n', ...two }, { nodeName: null, hostname: null }), two);
  const added = patchSpec(
    {},
    {
      '$setElementOrder/containers': [{ name: 'a' }],
      containers: [
        { name: 'a', securityContext: { runAsUser: null, $retainKeys: [] } },
        { name: 'gone', $patch: 'delete' },
      ],
    },
  );
  assert.deepEqual(added, { containers: [{ name: 'a', securityContext: {} }] });
});

test('a bad patch fails with the texts of upstream', () => {
  const cases: readonly [Json, object][] = [
    [{ $retainKeys: 'x' }, { httpCode: 400, message: 'invalid patch format of retainKeys' }],
    [
      { $retainKeys: [], nodeName: 'n' },
      { httpCode: 400, message: 'invalid patch format of retainKeys' },
    ],
    [
      { '$setElementOrder/containers': {} },
      { httpCode: 400, message: 'invalid patch format of setElementOrder list' },
    ],
    [
      { '$deleteFromPrimitiveList/x': 1 },
      { httpCode: 400, message: 'invalid patch format of primitive list' },
    ],
    [
      { $patch: 'leap' },
      { httpCode: 500, message: 'unknown patch type: leap in map: map[$patch:leap]' },
    ],
    [{ containers: [['x']] }, { httpCode: 422, reason: 'Invalid' }],
    [
      { containers: [{ image: 'x' }] },
      { httpCode: 500, message: 'map: map[image:x] does not contain declared merge key: name' },
    ],
  ];
  for (const [patch, expected] of cases) {
    assert.throws(() => patchSpec(two, patch), expected, JSON.stringify(patch));
  }
  assert.throws(() => applyStrategicPatch({}, 1, podType), { httpCode: 400 });
});

test('merging lists of objects is merging maps by key', () => {
  const item = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    image: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    workingDir: fc.option(fc.constantFrom('/', '/tmp'), { nil: undefined }),
  });
  const items = fc
    .uniqueArray(item, { selector: ({ name }) => name, maxLength: 4 })
    .map((list) => JSON.parse(JSON.stringify(list)) as Json[]);
  const byName = (list: Json[]): Json => Object.fromEntries(list.map((one) => [one['name'], one]));
  fc.assert(
    fc.property(items, items, (original, patch) => {
      const result = patchSpec({ containers: original }, { containers: patch })[
        'containers'
      ] as Json[];
      assert.deepEqual(byName(result), applyMergePatch(byName(original), byName(patch)));
      assert.equal(result.length, new Set(result.map(({ name }) => name)).size);
      const untouched = original.filter(({ name }) => !(String(name) in byName(patch)));
      const rest = result.filter(({ name }) => !(String(name) in byName(patch)));
      assert.deepEqual(rest, untouched);
    }),
  );
});
