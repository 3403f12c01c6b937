import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/deep-freeze.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import { conform as conformed } from '../decode/conform.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { serverSideApply, trackUpdate } from './mod.ts';
import { infoOf } from '../testing/info-of.ts';

type Json = Record<string, unknown>;

const deployments = infoOf('apps', 'deployments');
const configMaps = infoOf('', 'configmaps');
const pods = infoOf('', 'pods');
const start = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;

interface Who {
  manager?: string;
  force?: boolean;
  minute?: number;
  subresource?: string;
  info?: ResourceInfo;
  /** Brings objects into the form of their type, which has no nulls. */
  isConformed?: boolean;
}

function apply(live: UnknownObject | undefined, fields: Json, who: Who = {}): UnknownObject {
  const { manager = 'one', force = false, minute = 0, subresource = '', info = configMaps } = who;
  const applied = deepFreeze(structuredClone(fields)) as UnknownObject;
  const nowMs = start + minute * minuteMs;
  const conform =
    who.isConformed === true
      ? (object: UnknownObject) => conformed(object, info.typeName, 'Ignore').object
      : undefined;
  const options = { live, applied, manager, force, info, subresource, nowMs };
  return deepFreeze(serverSideApply(conform === undefined ? options : { ...options, conform }));
}

function update(old: UnknownObject | undefined, fields: Json, who: Who = {}): UnknownObject {
  const { manager = 'editor', minute = 0, subresource = '', info = configMaps } = who;
  const object = deepFreeze(structuredClone(fields)) as UnknownObject;
  const nowMs = start + minute * minuteMs;
  const operation = 'Update';
  return deepFreeze(trackUpdate({ old, object, manager, operation, info, subresource, nowMs }));
}

function sets(object: UnknownObject): Json {
  const entries = object.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map((entry) => [`${entry.manager}:${entry.operation}`, entry.fieldsV1]),
  );
}

function map(data: Json, metadata: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata }, data };
}

function deployment(spec: Json, metadata: Json = {}): Json {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', ...metadata }, spec };
}

function conflictOf(run: () => unknown): ApiStatusError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ApiStatusError);
    assert.equal(error.httpCode, 409);
    assert.equal(error.reason, 'Conflict');
    return error;
  }
  return assert.fail('no conflict');
}

test('an apply creates an object and owns what it says', () => {
  const created = apply(undefined, map({ a: '1' }, { labels: { l: '1' } }));
  assert.deepEqual(created, {
    ...map({ a: '1' }),
    metadata: {
      name: 'a',
      labels: { l: '1' },
      managedFields: [
        {
          manager: 'one',
          operation: 'Apply',
          apiVersion: 'v1',
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:l': {} } } },
        },
      ],
    },
  });
});

test('list items are owned with their keys and merged by them', () => {
  const spec = (containers: Json[]): Json => ({ template: { spec: { containers } } });
  const created = apply(undefined, deployment(spec([{ name: 'a', image: 'x', args: ['1'] }])), {
    info: deployments,
  });
  assert.deepEqual(sets(created)['one:Apply'], {
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"a"}': { '.': {}, 'f:args': {}, 'f:image': {}, 'f:name': {} },
          },
        },
      },
    },
  });
  const both = apply(created, deployment(spec([{ name: 'b' }, { name: 'a', tty: true }])), {
    manager: 'two',
    info: deployments,
  });
  assert.deepEqual(
    both['spec'],
    spec([{ name: 'b' }, { name: 'a', image: 'x', args: ['1'], tty: true }]),
  );
  const alone = apply(both, deployment(spec([{ name: 'b' }])), { info: deployments, force: true });
  assert.deepEqual(alone['spec'], spec([{ name: 'b' }, { name: 'a', tty: true }]));
});

test('an item that only one owns goes with what others wrote into it', () => {
  const spec = (containers: Json[]): Json => ({ template: { spec: { containers } } });
  const info = deployments;
  const a = { name: 'a', image: 'x' };
  const created = apply(undefined, deployment(spec([a, { name: 'b' }])), { info });
  const metadata = { managedFields: created.metadata.managedFields };
  const edited = update(
    created,
    deployment(spec([{ ...a, image: 'y', tty: true }, { name: 'b' }]), metadata),
    { info },
  );
  const left = apply(edited, deployment(spec([{ name: 'b' }])), { info });
  assert.deepEqual(left['spec'], spec([{ name: 'b' }]));
  assert.deepEqual(Object.keys(sets(left)), ['one:Apply']);
  const none = apply(edited, deployment({ replicas: 1 }), { info });
  assert.deepEqual(none['spec'], { replicas: 1, template: { spec: {} } });
});

test('items that only the live list has keep their places', () => {
  const pod = (names: string[]): Json => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { containers: names.map((name) => ({ name })) },
  });
  const order = (live: string[], applied: string[]): string => {
    const result = apply(update(undefined, pod(live), { info: pods }), pod(applied), {
      info: pods,
    });
    const { containers } = result['spec'] as { containers: { name: string }[] };
    return containers.map(({ name }) => name).join('');
  };
  const cases: readonly [string, string, string][] = [
    ['abc', 'd', 'abcd'],
    ['abc', 'b', 'abc'],
    ['abc', 'ca', 'bca'],
    ['abc', 'xb', 'axbc'],
    ['abc', 'abcd', 'abcd'],
    ['', 'ba', 'ba'],
  ];
  for (const [live, applied, expected] of cases) {
    assert.equal(order([...live], [...applied]), expected, `${live} + ${applied}`);
  }
});

test('a change of what another manager owns is a conflict unless forced', () => {
  const live = update(undefined, deployment({ replicas: 1, paused: true }), {
    info: deployments,
    manager: 'kubectl',
  });
  const same = apply(live, deployment({ replicas: 1 }), { info: deployments });
  assert.deepEqual(Object.keys(sets(same)), ['one:Apply', 'kubectl:Update']);
  const one = conflictOf(() => apply(live, deployment({ replicas: 2 }), { info: deployments }));
  assert.equal(
    one.message,
    'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
  );
  assert.deepEqual(one.details, {
    causes: [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl" using apps/v1',
        field: '.spec.replicas',
      },
    ],
  });
  const forced = apply(live, deployment({ replicas: 2 }), { info: deployments, force: true });
  assert.deepEqual(forced['spec'], { replicas: 2, paused: true });
  assert.deepEqual(sets(forced), {
    'one:Apply': { 'f:spec': { 'f:replicas': {} } },
    'kubectl:Update': { 'f:spec': { 'f:paused': {} } },
  });
});

test('several conflicts are listed by manager', () => {
  const spec = {
    nodeName: 'n',
    containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec };
  const live = apply(undefined, pod, { info: pods, manager: 'two' });
  const edited = update(live, { ...pod, spec: { ...spec, nodeName: 'm' } }, { info: pods });
  const ports = [{ containerPort: 80, protocol: 'TCP', name: 'p' }];
  const named = update(
    edited,
    { ...pod, spec: { nodeName: 'm', containers: [{ name: 'c', image: 'y', ports }] } },
    { info: pods, manager: 'third', subresource: 'binding' },
  );
  const wanted = [{ name: 'c', image: 'z', ports: [{ containerPort: 80, name: 'q' }] }];
  const error = conflictOf(() =>
    apply(named, { ...pod, spec: { nodeName: 'o', containers: wanted } }, { info: pods }),
  );
  assert.equal(
    error.message,
    [
      'Apply failed with 3 conflicts: conflicts with "editor" using v1:',
      '- .spec.nodeName',
      'conflicts with "third" with subresource "binding" using v1:',
      '- .spec.containers[name="c"].image',
      '- .spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].name',
    ].join('\n'),
  );
});

test('applying again without a field removes it unless someone else owns it', () => {
  const created = apply(undefined, map({ a: '1', b: '1' }));
  assert.deepEqual(apply(created, map({ a: '1' }))['data'], { a: '1' });
  const shared = apply(created, map({ b: '1' }), { manager: 'two' });
  const left = apply(shared, map({ a: '1' }));
  assert.deepEqual(left['data'], { a: '1', b: '1' });
  assert.deepEqual(sets(left), {
    'one:Apply': { 'f:data': { 'f:a': {} } },
    'two:Apply': { 'f:data': { 'f:b': {} } },
  });
  const gone = apply(left, { ...map({}), data: {} }, { manager: 'two' });
  assert.deepEqual(gone['data'], { a: '1' });
});

test('what an object had before its first apply belongs to nobody in particular', () => {
  const untracked = map({ a: '1', b: '1' }, { uid: 'u' }) as unknown as UnknownObject;
  const error = conflictOf(() => apply(untracked, map({ a: '2' })));
  assert.match(error.message, /conflict with "before-first-apply" using v1: \.data\.a$/);
  const applied = apply(untracked, map({ a: '1' }));
  assert.deepEqual(sets(applied), {
    'one:Apply': { 'f:data': { 'f:a': {} } },
    'before-first-apply:Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
  });
});

test('a repeated apply gives the live object itself', () => {
  const created = apply(undefined, map({ a: '1' }));
  assert.equal(apply(created, map({ a: '1' }), { minute: 5 }), created);
  const changed = apply(created, map({ a: '2' }), { minute: 5 });
  assert.equal(changed.metadata.managedFields?.[0]?.time, '2026-01-01T00:05:00Z');
});

test('kubectl takes over what it applied on the client side', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const last = JSON.stringify(deployment({ replicas: 1 }));
  const live = update(
    undefined,
    deployment({ replicas: 1, paused: true }, { annotations: { [annotation]: last } }),
    { manager: 'kubectl-client-side-apply', info: deployments },
  );
  const config = deployment({ replicas: 2 });
  const taken = apply(live, config, { manager: 'kubectl', info: deployments });
  assert.equal((taken['spec'] as Json)['replicas'], 2);
  assert.deepEqual(sets(taken)['kubectl:Apply'], { 'f:spec': { 'f:replicas': {} } });
  assert.equal(
    taken.metadata.annotations?.[annotation],
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":2}}\n',
  );
  conflictOf(() => apply(live, config, { manager: 'other', info: deployments }));
  const scaled = update(
    live,
    { ...live, spec: { replicas: 3, paused: true } },
    {
      manager: 'scaler',
      info: deployments,
    },
  );
  const error = conflictOf(() => apply(scaled, config, { manager: 'kubectl', info: deployments }));
  assert.match(error.message, /conflict with "scaler" using apps\/v1: \.spec\.replicas$/);
});

test('a status that the main resource cannot write is not owned by its applier', () => {
  const config = { ...deployment({ replicas: 1 }), status: { replicas: 5 } };
  const created = apply(undefined, config, { info: deployments });
  assert.deepEqual(sets(created)['one:Apply'], { 'f:spec': { 'f:replicas': {} } });
  const status = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } };
  const through = apply(
    created,
    { ...status, status: { replicas: 6 } },
    {
      info: deployments,
      subresource: 'status',
      manager: 'two',
    },
  );
  assert.deepEqual(sets(through)['two:Apply'], { 'f:status': { 'f:replicas': {} } });
});

test('a bad apply fails with the texts of upstream', () => {
  const cases: readonly [Json, object][] = [
    [
      { ...map({}), apiVersion: 'v2' },
      {
        httpCode: 400,
        message:
          'Incorrect version specified in apply patch. Specified patch version: v2, expected: v1',
      },
    ],
    [
      { ...map({}), kind: 'Secret' },
      { httpCode: 400, message: 'invalid object type: /v1, Kind=Secret' },
    ],
    [
      map({}, { managedFields: [] }),
      { httpCode: 400, message: 'metadata.managedFields must be nil' },
    ],
    [
      map({}, { ownerReferences: [{ name: 'x' }], namespace: 'n' }),
      {
        httpCode: 500,
        message:
          'failed to create typed patch object (n/a; /v1, Kind=ConfigMap): .metadata.ownerReferences: element 0: associative list with keys has an element that omits key field "uid" (and doesn\'t have default value)',
      },
    ],
    [
      map({}, { ownerReferences: [{ uid: 'x' }, { uid: 'x' }], namespace: 'n' }),
      {
        httpCode: 500,
        message:
          'failed to create typed patch object (n/a; /v1, Kind=ConfigMap): .metadata.ownerReferences: duplicate entries for key [uid="x"]',
      },
    ],
  ];
  for (const [config, expected] of cases) assert.throws(() => apply(undefined, config), expected);
});

test('a live list whose items have no key says where', () => {
  const info = infoOf('', 'serviceaccounts');
  const live = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'a', namespace: 'n', uid: 'u' },
    secrets: [{ kind: 'Secret' }],
  } as UnknownObject;
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } };
  assert.throws(() => apply(live, body, { info }), {
    httpCode: 500,
    message:
      'failed to create typed live object (n/a; /v1, Kind=ServiceAccount): .secrets: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  });
});

test('an applied null is owned, and takes what has no parts', () => {
  const info = deployments;
  const spec = { replicas: 3, strategy: { type: 'Recreate' }, paused: true };
  const live = apply(undefined, deployment(spec), { info, isConformed: true });
  const template = { metadata: { creationTimestamp: null } };
  const nulls = deployment({ replicas: null, strategy: null, paused: null, template });
  const who = { info, isConformed: true, manager: 'two' };
  const conflict = conflictOf(() => apply(live, nulls, who));
  assert.equal(
    conflict.message,
    'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.paused\n- .spec.replicas',
  );
  const forced = apply(live, nulls, { ...who, force: true });
  const { spec: after } = forced as unknown as { spec: Json };
  assert.deepEqual(after['strategy'], { type: 'Recreate' });
  assert.equal('replicas' in after || 'paused' in after, false);
  assert.doesNotMatch(JSON.stringify(forced), /null/);
  assert.deepEqual(sets(forced), {
    'one:Apply': { 'f:spec': { 'f:strategy': { 'f:type': {} } } },
    'two:Apply': {
      'f:spec': {
        'f:paused': {},
        'f:replicas': {},
        'f:strategy': {},
        'f:template': { 'f:metadata': { 'f:creationTimestamp': {} } },
      },
    },
  });
});

test('an entry of a map that is applied as null is empty', () => {
  const who = { isConformed: true };
  const live = apply(undefined, map({ a: '1', b: '2' }), who);
  const after = apply(live, map({ a: null, b: '2' }), who);
  assert.deepEqual(sets(after)['one:Apply'], { 'f:data': { 'f:a': {}, 'f:b': {} } });
  assert.deepEqual(after['data'], { a: '', b: '2' });
});

test('by a resize nobody owns more of a pod than resources', () => {
  const spec = { containers: [{ name: 'c', image: 'x' }], nodeName: 'n' };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec };
  const live = apply(undefined, pod, { info: pods, manager: 'two' });
  const resources = { requests: { cpu: '1' } };
  const containers = [{ name: 'c', image: 'other', resources }];
  const resized = { ...pod, spec: { containers, nodeName: 'm' } };
  const applied = apply(live, resized, { info: pods, subresource: 'resize' });
  const claim = applied.metadata.managedFields?.find((one) => one.subresource === 'resize');
  assert.deepEqual(claim?.fieldsV1, {
    'f:spec': {
      'f:containers': {
        'k:{"name":"c"}': { '.': {}, 'f:resources': { 'f:requests': { 'f:cpu': {} } } },
      },
    },
  });
});
