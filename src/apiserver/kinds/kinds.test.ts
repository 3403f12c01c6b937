import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeAppArmorFromAnnotations } from './app-armor.ts';
import type { HookScope } from './kind-hooks.ts';
import { certificateSigningRequestHooks } from './certificate-signing-request.ts';
import { jobHooks } from './job.ts';
import { persistentVolumeHooks } from './persistent-volume.ts';

const annotation = (container: string): string =>
  `container.apparmor.security.beta.kubernetes.io/${container}`;
const warning = (container: string): string =>
  `metadata.annotations[${annotation(container)}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

test('profiles of annotations become fields of the containers that have none', () => {
  const runtimeDefault = { type: 'RuntimeDefault' };
  const cases: [
    value: string,
    own: object | undefined,
    profile: object | undefined,
    warns: boolean,
  ][] = [
    ['unconfined', undefined, { type: 'Unconfined' }, true],
    ['localhost/x', undefined, { type: 'Localhost', localhostProfile: 'x' }, true],
    ['runtime/default', undefined, undefined, false],
    ['localhost/', undefined, undefined, true],
    ['else', undefined, undefined, true],
    ['unconfined', runtimeDefault, runtimeDefault, false],
  ];
  for (const [value, own, profile, warns] of cases) {
    const container = { name: 'c', ...(own && { securityContext: { appArmorProfile: own } }) };
    const spec = { containers: [container], securityContext: { appArmorProfile: runtimeDefault } };
    const pod = structuredClone({ metadata: { annotations: { [annotation('c')]: value } }, spec });
    assert.deepEqual(takeAppArmorFromAnnotations(pod), warns ? [warning('c')] : [], value);
    const [made] = pod.spec.containers as { securityContext?: { appArmorProfile?: object } }[];
    assert.deepEqual(made?.securityContext?.appArmorProfile, profile, value);
  }
});

test('a windows pod keeps its annotations to itself', () => {
  const metadata = { annotations: { [annotation('c')]: 'unconfined' } };
  const spec = { os: { name: 'windows' }, containers: [{ name: 'c' }] };
  assert.deepEqual(takeAppArmorFromAnnotations({ metadata, spec }), []);
  assert.deepEqual(spec.containers, [{ name: 'c' }]);
});

test('a pod without containers is left to validation', () => {
  const metadata = { annotations: { [annotation('c')]: 'unconfined' } };
  assert.deepEqual(takeAppArmorFromAnnotations({ metadata, spec: {} }), []);
});

test('a job keeps labels and selectors that contradict the generated ones', () => {
  const job = {
    metadata: { name: 'j', uid: 'u' },
    spec: { template: { metadata: { labels: { 'job-name': 'mine' } }, spec: {} } },
  };
  void jobHooks.beforeCreate?.(job, {} as HookScope);
  const { labels } = job.metadata as { labels?: object };
  assert.deepEqual(labels, job.spec.template.metadata.labels);
  assert.deepEqual(job.spec, {
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    template: {
      metadata: {
        labels: {
          'batch.kubernetes.io/controller-uid': 'u',
          'batch.kubernetes.io/job-name': 'j',
          'controller-uid': 'u',
          'job-name': 'mine',
        },
      },
      spec: {},
    },
  });
});

test('a change of phase gets its time, unless the writer says another one', () => {
  const old = { metadata: {}, status: { phase: 'Available', lastPhaseTransitionTime: 'then' } };
  const scope = { subresource: 'status', nowMs: 0 } as HookScope;
  const after = (status: object): unknown => {
    const volume = { metadata: {}, status };
    void persistentVolumeHooks.beforeUpdate?.(volume as never, old as never, scope);
    return volume.status;
  };
  const now = '1970-01-01T00:00:00Z';
  assert.deepEqual(after({ phase: 'Bound' }), { phase: 'Bound', lastPhaseTransitionTime: now });
  const told = { phase: 'Bound', lastPhaseTransitionTime: 'told' };
  assert.deepEqual(after(told), told);
  assert.deepEqual(after({ phase: 'Available' }), { phase: 'Available' });
});

test('conditions of signing requests have times, and keep when they began', () => {
  const began = '2025-01-01T00:00:00Z';
  const approved = { type: 'Approved', status: 'True', lastTransitionTime: began };
  const request = (conditions: object[]) => ({
    metadata: { name: 'c' },
    spec: {},
    status: { conditions },
  });
  const object = request([
    { type: 'Approved', status: 'True', lastUpdateTime: began },
    { type: 'Failed', status: 'True' },
  ]);
  const scope = { subresource: 'approval', nowMs: Date.UTC(2026, 0, 1) } as HookScope;
  void certificateSigningRequestHooks.beforeUpdate?.(object, request([approved]), scope);
  const now = '2026-01-01T00:00:00Z';
  assert.deepEqual(object.status.conditions, [
    { ...approved, lastUpdateTime: began },
    { type: 'Failed', status: 'True', lastUpdateTime: now, lastTransitionTime: now },
  ]);
});

test('signing requests have to be signed by their own key', () => {
  // Made by openssl for O=dev, CN=jane.
  const good =
    'MIHXMH8CAQAwHTEMMAoGA1UECgwDZGV2MQ0wCwYDVQQDDARqYW5lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ7l4eTtyJjCjnDhHUsLqDcsgtwTYNw1t2kh7XC/blIyXZABjaoAkXHB+0M9k4OshHK0inzGowAHtHvC6Brlx4aAAMAoGCCqGSM49BAMCA0gAMEUCIEhS3dP+h/yyFU4+LYGRZIXIcs6UhgnuzT0HlnngAtI5AiEAltIbF9rUs8Iz7Yt/4WV8PZxGGAO6sQ+AQerRbA8VCxI=';
  const check = (der: Buffer): string[] => {
    const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} CERTIFICATE REQUEST-----`);
    const pem = [begin, der.toString('base64'), end].join('\n');
    const spec = { request: Buffer.from(pem).toString('base64'), signerName: 'a.b/c', usages: [] };
    const object = { metadata: { name: 'c' }, spec };
    const errors = certificateSigningRequestHooks.validate?.(object, undefined, {} as HookScope);
    return (errors ?? []).map(({ field, message }) => {
      assert.equal(field, 'spec.request');
      return message.split(': ').slice(2).join(': ');
    });
  };
  const der = Buffer.from(good, 'base64');
  assert.deepEqual(check(der), []);
  const forged = Buffer.from(der);
  forged.writeUInt8(forged.readUInt8(30) ^ 1, 30);
  assert.deepEqual(check(forged), ['x509: ECDSA verification failure']);
  assert.deepEqual(check(der.subarray(0, 40)), [
    'asn1: syntax error: the certificate request cannot be read',
  ]);
});
