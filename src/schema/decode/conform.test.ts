import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { conform } from './conform.ts';

const pod = 'io.k8s.api.core.v1.Pod';
const deployment = 'io.k8s.api.apps.v1.Deployment';

function refusal(value: object, typeName: string, mode: 'Ignore' | 'Strict' = 'Ignore'): string {
  let message = '';
  assert.throws(
    () => conform(value, typeName, mode),
    (error) => {
      assert.ok(error instanceof ApiStatusError);
      assert.equal(error.httpCode, 400);
      assert.equal(error.reason, 'BadRequest');
      message = error.message;
      return true;
    },
  );
  return message;
}

test('returns the value itself when nothing changes', () => {
  const value = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1' } } }] },
  };
  assert.equal(conform(value, pod, 'Strict').object, value);
});

test('passes over what it shares with an object that was conformed before', () => {
  const known = {
    metadata: { name: 'a', labels: { unknown: 1 } },
    spec: { containers: [{ odd: 1 }] },
  };
  const value = {
    metadata: { ...known.metadata, annotations: { a: null } },
    spec: { ...known.spec, volumes: [{ odd: 1 }] },
    status: null,
  };
  const { object, warnings } = conform<object>(value, pod, 'Warn', [], known);
  assert.deepEqual(object, {
    metadata: { name: 'a', labels: { unknown: 1 }, annotations: { a: '' } },
    spec: { containers: [{ odd: 1 }], volumes: [{}] },
  });
  assert.deepEqual(warnings, ['unknown field "spec.volumes[0].odd"']);
  assert.throws(() => conform<object>(value, pod, 'Ignore'), ApiStatusError);
});

test('shares what does not change and leaves the input alone', () => {
  const value = {
    metadata: { name: 'a' },
    spec: { nodeName: null, containers: [{ name: 'c' }, { name: 'd', extra: 1 }] },
  };
  const { object } = conform(value, pod, 'Ignore');
  assert.deepEqual(object, {
    metadata: { name: 'a' },
    spec: { containers: [{ name: 'c' }, { name: 'd' }] },
  });
  assert.equal(object.metadata, value.metadata);
  assert.equal(object.spec.containers[0], value.spec.containers[0]);
  assert.equal(value.spec.containers[1]?.extra, 1);
});

test('brings scalars into canonical form', () => {
  const value = {
    metadata: { name: 'a', creationTimestamp: '2026-01-02T03:04:05.678+02:00' },
    spec: {
      containers: [{ name: 'c', resources: { limits: { cpu: 1, memory: '1024Mi' } } }],
      overhead: { cpu: '0.5' },
    },
  };
  assert.deepEqual(conform(value as object, pod, 'Ignore').object, {
    metadata: { name: 'a', creationTimestamp: '2026-01-02T01:04:05Z' },
    spec: {
      containers: [{ name: 'c', resources: { limits: { cpu: '1', memory: '1Gi' } } }],
      overhead: { cpu: '500m' },
    },
  });
});

test('null stands for the zero value in lists and maps', () => {
  const value = { metadata: { labels: { a: null } }, spec: { containers: [null] } };
  assert.deepEqual(conform(value as object, pod, 'Ignore').object, {
    metadata: { labels: { a: '' } },
    spec: { containers: [{}] },
  });
});

test('names unknown fields with their path', () => {
  const value = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: { foo: 1, template: { spec: { containers: [{ name: 'c', images: 'x' }] } } },
  };
  const { object, warnings } = conform(value as object, deployment, 'Warn');
  assert.deepEqual(warnings, [
    'unknown field "spec.foo"',
    'unknown field "spec.template.spec.containers[0].images"',
  ]);
  assert.ok(!('foo' in (object as typeof value).spec));
  assert.equal(
    refusal(value, deployment, 'Strict'),
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ' +
      'unknown field "spec.foo", unknown field "spec.template.spec.containers[0].images"',
  );
  assert.deepEqual(conform(value as object, deployment, 'Ignore').warnings, []);
});

const wrongTypes: ReadonlyArray<readonly [spec: object, reason: string]> = [
  [
    { template: { metadata: { uid: 1 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.uid of type types.UID',
  ],
  [
    { replicas: 'three' },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { replicas: 1.5 },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { template: { spec: { containers: 'x' } } },
    'json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
  ],
  [
    { template: { spec: { containers: [{ env: [{ name: 'A', value: 1 }] }] } } },
    'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
  ],
  [
    { template: { spec: { containers: [{ args: [true] }] } } },
    'json: cannot unmarshal bool into Go struct field Container.spec.template.spec.containers.args of type string',
  ],
  [
    { template: { metadata: { labels: { a: 1 } } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels of type string',
  ],
  [
    { template: { metadata: { labels: [] } } },
    'json: cannot unmarshal array into Go struct field ObjectMeta.spec.template.metadata.labels of type map[string]string',
  ],
  [
    { template: { spec: { containers: [{ ports: [{ protocol: 1 }] }] } } },
    'json: cannot unmarshal number into Go struct field ContainerPort.spec.template.spec.containers.ports.protocol of type v1.Protocol',
  ],
  [
    { template: 'x' },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec',
  ],
  [
    { strategy: { rollingUpdate: { maxSurge: true } } },
    'json: cannot unmarshal bool into Go value of type int32',
  ],
  [
    { template: { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    { template: { metadata: { creationTimestamp: 'yesterday' } } },
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  ],
];

test('refuses wrong types in upstream’s words', () => {
  for (const [spec, reason] of wrongTypes) {
    assert.equal(
      refusal({ apiVersion: 'apps/v1', kind: 'Deployment', spec }, deployment),
      `Deployment in version "v1" cannot be handled as a Deployment: ${reason}`,
    );
  }
});

test('refuses bytes that are not base64', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', data: { key: 'abc!' } };
  assert.match(
    refusal(secret, 'io.k8s.api.core.v1.Secret'),
    /: illegal base64 data at input byte 3$/,
  );
});

test('the cause is the bare reason, for those who wrap it otherwise', () => {
  try {
    conform({ spec: { foo: 1 } }, pod, 'Strict');
    assert.fail('must throw');
  } catch (error) {
    const { cause } = error as Error;
    assert.equal(messageOf(cause), 'strict decoding error: unknown field "spec.foo"');
  }
});

test('JSON schema parts below items are pruned in silence', () => {
  const schema = { type: 'array', items: { type: 'string', foo: 1 }, additionalProperties: false };
  const value = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } };
  const type = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition';
  const { object, warnings } = conform(value as object, type, 'Warn');
  assert.deepEqual(warnings, []);
  assert.deepEqual(object, {
    spec: {
      versions: [
        {
          schema: {
            openAPIV3Schema: {
              type: 'array',
              items: { type: 'string' },
              additionalProperties: false,
            },
          },
        },
      ],
    },
  });
});
