import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '#base/deep-freeze.ts';
import { applyDefaults } from '../defaults/apply.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { trackUpdate } from './mod.ts';
import { infoOf } from '../testing/info-of.ts';

type Json = Record<string, unknown>;

const deployments = infoOf('apps', 'deployments');
const configMaps = infoOf('', 'configmaps');
const pods = infoOf('', 'pods');
const start = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;

function track(
  info: ResourceInfo,
  old: UnknownObject | undefined,
  fields: Json,
  { manager = 'kubectl', minute = 0, subresource = '' } = {},
): UnknownObject {
  const object = deepFreeze(structuredClone(fields)) as UnknownObject;
  const nowMs = start + minute * minuteMs;
  const operation = 'Update';
  return deepFreeze(trackUpdate({ old, object, manager, operation, info, subresource, nowMs }));
}

function sets(object: UnknownObject): Json {
  const entries = object.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map((entry) => [
      [entry.manager, entry.subresource].filter(Boolean).join('/'),
      entry.fieldsV1,
    ]),
  );
}

function map(data: Json, metadata: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata }, data };
}

test('a created deployment is owned as by a real API server', () => {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', uid: 'u', labels: { app: 'web' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }] }] },
      },
    },
    status: { replicas: 3 },
  };
  applyDefaults(object, deployments.typeName);
  const created = track(deployments, undefined, object, { manager: 'kubectl-create' });
  assert.deepEqual(created.metadata.managedFields, [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:progressDeadlineSeconds': {},
          'f:replicas': {},
          'f:revisionHistoryLimit': {},
          'f:selector': {},
          'f:strategy': {
            'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} },
            'f:type': {},
          },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"nginx"}': {
                  '.': {},
                  'f:image': {},
                  'f:imagePullPolicy': {},
                  'f:name': {},
                  'f:ports': {
                    '.': {},
                    'k:{"containerPort":80,"protocol":"TCP"}': {
                      '.': {},
                      'f:containerPort': {},
                      'f:protocol': {},
                    },
                  },
                  'f:resources': {},
                  'f:terminationMessagePath': {},
                  'f:terminationMessagePolicy': {},
                },
              },
              'f:dnsPolicy': {},
              'f:restartPolicy': {},
              'f:schedulerName': {},
              'f:securityContext': {},
              'f:terminationGracePeriodSeconds': {},
            },
          },
        },
      },
    },
  ]);
});

test('elements are written in order', () => {
  const created = track(configMaps, undefined, map({ b: '1', a: '1', 'c.d': '1' }));
  assert.equal(
    JSON.stringify(created.metadata.managedFields?.[0]?.fieldsV1),
    '{"f:data":{".":{},"f:a":{},"f:b":{},"f:c.d":{}}}',
  );
});

test('who changes a field takes it from who had it', () => {
  const created = track(configMaps, undefined, map({ a: '1', b: '1' }, { uid: 'u' }));
  const updated = track(configMaps, created, map({ a: '2', b: '1', c: '1' }), {
    manager: 'other',
    minute: 1,
  });
  assert.deepEqual(sets(updated), {
    kubectl: { 'f:data': { '.': {}, 'f:b': {} } },
    other: { 'f:data': { 'f:a': {}, 'f:c': {} } },
  });
  const removed = track(configMaps, updated, map({ b: '1' }), { minute: 2 });
  assert.deepEqual(sets(removed), { kubectl: { 'f:data': { '.': {}, 'f:b': {} } } });
});

test('the time moves only when something changed, and untouched entries are shared', () => {
  const created = track(configMaps, undefined, map({ a: '1' }));
  const same = track(configMaps, created, map({ a: '1' }, { resourceVersion: '7' }), { minute: 1 });
  assert.equal(same.metadata.managedFields?.[0], created.metadata.managedFields?.[0]);
  const changed = track(configMaps, created, map({ a: '2' }), { minute: 1 });
  assert.equal(changed.metadata.managedFields?.[0]?.time, '2026-01-01T00:01:00Z');
  const { data: _, ...empty } = map({});
  assert.deepEqual(sets(track(configMaps, created, empty, { minute: 1 })), {});
});

test('a subresource has its own entry and cannot own what it cannot write', () => {
  const base = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { nodeName: 'n' } };
  const created = track(pods, undefined, { ...base, status: { message: 'm' } });
  assert.deepEqual(sets(created), { kubectl: { 'f:spec': { 'f:nodeName': {} } } });
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    podIPs: [{ ip: '10.0.0.1' }],
  };
  const managedFields = [{ manager: 'forged' }];
  const write = {
    ...base,
    metadata: { name: 'a', managedFields },
    spec: { nodeName: 'x' },
    status,
  };
  const updated = track(pods, created, write, { manager: 'kubelet', subresource: 'status' });
  assert.deepEqual(sets(updated), {
    kubectl: { 'f:spec': { 'f:nodeName': {} } },
    'kubelet/status': {
      'f:status': {
        'f:conditions': {
          '.': {},
          'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} },
        },
        'f:phase': {},
        'f:podIPs': { '.': {}, 'k:{"ip":"10.0.0.1"}': { '.': {}, 'f:ip': {} } },
      },
    },
  });
});

test('items of lists are owned by their keys, sets by their values', () => {
  const pod = (finalizers: string[], images: Json): Json => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', finalizers },
    spec: {
      containers: Object.entries(images).map(([name, image]) => ({ name, image })),
    },
  });
  const created = track(pods, undefined, pod(['x', 'y'], { a: '1', b: '1' }));
  const updated = track(pods, created, pod(['y', 'z'], { b: '2', a: '1', c: '1' }), {
    manager: 'other',
  });
  assert.deepEqual(sets(updated)['other'], {
    'f:metadata': { 'f:finalizers': { 'v:"z"': {} } },
    'f:spec': {
      'f:containers': {
        'k:{"name":"b"}': { 'f:image': {} },
        'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} },
      },
    },
  });
  assert.deepEqual(sets(updated)['kubectl'], {
    'f:metadata': { 'f:finalizers': { '.': {}, 'v:"y"': {} } },
    'f:spec': {
      'f:containers': {
        'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} },
        'k:{"name":"b"}': { '.': {}, 'f:name': {} },
      },
    },
  });
});

test('owners are kept when a client does not send them and forgotten when it asks to', () => {
  const created = track(configMaps, undefined, map({ a: '1' }));
  const silent = track(configMaps, created, map({ a: '1' }));
  assert.deepEqual(silent.metadata.managedFields, created.metadata.managedFields);
  for (const managedFields of [[], [{}]]) {
    const reset = track(configMaps, created, map({ a: '2' }, { managedFields }));
    assert.equal(reset.metadata.managedFields, undefined);
    const later = track(configMaps, reset, map({ a: '3' }));
    assert.equal(later.metadata.managedFields, undefined);
  }
  const malformed = track(
    configMaps,
    created,
    map({ a: '1' }, { managedFields: [{ manager: 'x' }] }),
  );
  assert.deepEqual(malformed.metadata.managedFields, created.metadata.managedFields);
  const entry = { ...created.metadata.managedFields?.[0], manager: 'renamed' };
  const given = track(configMaps, created, map({ a: '1' }, { managedFields: [entry] }));
  assert.deepEqual(given.metadata.managedFields, [entry]);
});

test('the oldest of more than ten managers become one', () => {
  let object = track(configMaps, undefined, map({ k0: '1' }), { manager: 'm0' });
  const data: Json = { k0: '1' };
  for (let index = 1; index <= 12; index++) {
    data[`k${index}`] = '1';
    object = track(configMaps, object, map(data), { manager: `m${index}`, minute: index });
  }
  const names = object.metadata.managedFields?.map(({ manager }) => manager);
  assert.deepEqual(
    names,
    ['ancient-changes', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12'].slice(0, 10),
  );
  assert.deepEqual(sets(object)['ancient-changes'], {
    'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} },
  });
});

test('list items without their key leave the owners as they were', () => {
  const pod = (containers: Json[]): Json => ({ metadata: { name: 'a' }, spec: { containers } });
  const created = track(pods, undefined, pod([{ name: 'a' }]));
  const updated = track(pods, created, pod([{ image: 'b' }, { name: 'c' }]));
  assert.deepEqual(updated.metadata.managedFields, created.metadata.managedFields);
});

test('a custom resource is owned by what it looks like', () => {
  const info = {
    ...deployments,
    group: 'example.com',
    kind: 'Thing',
    typeName: 'example.com.Thing',
  };
  const thing = (spec: Json): Json => ({
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 'a', labels: { l: '1' } },
    spec,
  });
  const created = track(info, undefined, thing({ list: [{ name: 'a' }], map: { k: 1 }, none: {} }));
  assert.deepEqual(sets(created), {
    kubectl: {
      'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
      'f:spec': { '.': {}, 'f:list': {}, 'f:map': { '.': {}, 'f:k': {} }, 'f:none': {} },
    },
  });
});

test('writes of the parts of a pod own what they are for, whatever else they say', () => {
  const containers = [{ name: 'c', image: 'x' }];
  const old = track(pods, undefined, { metadata: { name: 'a' }, spec: { containers } });
  const write = (subresource: string, container: Json, more: Json): Json => {
    const spec = { containers: [{ name: 'c', ...container }], ...more };
    return sets(track(pods, old, { metadata: old.metadata, spec }, { manager: 'm', subresource }));
  };
  const before = sets(old);
  assert.deepEqual(write('resize', { image: 'y' }, { nodeName: 'n' }), before);
  const resources = { limits: { cpu: '1' } };
  assert.deepEqual(write('resize', { image: 'y', resources }, {})['m/resize'], {
    'f:spec': {
      'f:containers': {
        'k:{"name":"c"}': { 'f:resources': { 'f:limits': { '.': {}, 'f:cpu': {} } } },
      },
    },
  });
  const ephemeralContainers = [{ name: 'e', image: 'z' }];
  const more = { nodeName: 'n', ephemeralContainers };
  assert.deepEqual(write('ephemeralcontainers', { image: 'y' }, more)['m/ephemeralcontainers'], {
    'f:spec': {
      'f:ephemeralContainers': {
        '.': {},
        'k:{"name":"e"}': { '.': {}, 'f:image': {}, 'f:name': {} },
      },
    },
  });
});
