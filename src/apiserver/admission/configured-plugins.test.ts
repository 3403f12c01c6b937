import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { resources } from '#client/mod.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { createEventRateLimit } from './event-rate-limit.ts';
import { admit } from './fake-attributes.ts';
import { disablingProblem, enablingProblem } from './plugin-order.ts';
import { createPodNodeSelector } from './pod-node-selector.ts';
import { createPodSecurity } from './pod-security/pod-security.ts';

const pod = (name: string, spec: object = {}): object => ({
  metadata: { name, namespace: 'ns' },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

function readerWith(metadata: object = {}): FakeObjectReader {
  const reader = new FakeObjectReader();
  reader.put(resources.namespaces, { metadata: { name: 'ns', ...metadata } });
  return reader;
}

test('EventRateLimit refuses what is beyond the rate of its key, and lets it pass later', async () => {
  const clock = new FakeClock();
  const plugin = createEventRateLimit({
    clock,
    limits: [{ type: 'Namespace', qps: 1, burst: 2, cacheSize: 10 }],
  });
  const write = (namespace: string) =>
    admit(plugin, { resource: 'events', object: { metadata: { name: 'e', namespace } } });
  await write('a');
  await write('a');
  await assert.rejects(write('a'), {
    httpCode: 429,
    reason: 'TooManyRequests',
    message: 'Too many requests: limit reached on type Namespace for key a',
  });
  await write('b');
  await clock.advance(1000);
  await write('a');
});

describe('PodSecurity with a configuration', () => {
  const podSecurity = {
    defaults: { enforce: { level: 'baseline', version: 'v1.30' } },
    exemptions: { usernames: ['boss'], namespaces: [], runtimeClasses: ['kata'] },
  };
  const write = (reader: FakeObjectReader, spec: object, name = 'someone') =>
    admit(createPodSecurity({ reader, podSecurity, clock: new FakeClock() }), {
      resource: 'pods',
      object: pod('p', spec),
      user: { name, groups: [] },
    });

  test('enforces the default where a namespace says nothing', async () => {
    await assert.rejects(write(readerWith(), { hostNetwork: true }), {
      message:
        'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)',
    });
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    await write(readerWith({ labels }), { hostNetwork: true });
  });

  test('lets exempt users and runtime classes pass', async () => {
    await write(readerWith(), { hostNetwork: true }, 'boss');
    await write(readerWith(), { hostNetwork: true, runtimeClassName: 'kata' });
  });
});

test('PodNodeSelector adds the selector of the namespace, and refuses another one', async () => {
  const annotations = { 'scheduler.alpha.kubernetes.io/node-selector': 'zone=a,disk=ssd' };
  const plugin = createPodNodeSelector({ reader: readerWith({ annotations }) });
  const { object } = await admit(plugin, {
    resource: 'pods',
    object: pod('p', { nodeSelector: { own: '1' } }),
  });
  assert.deepEqual((object as unknown as { spec: { nodeSelector: object } }).spec.nodeSelector, {
    zone: 'a',
    disk: 'ssd',
    own: '1',
  });
  await assert.rejects(
    admit(plugin, { resource: 'pods', object: pod('p', { nodeSelector: { zone: 'b' } }) }),
    { message: /pod node label selector conflicts with its namespace node label selector$/ },
  );
});

test('names of plugins are checked before they are turned on or off', () => {
  assert.equal(enablingProblem('AlwaysPullImages'), undefined);
  assert.match(enablingProblem('Nobody') ?? '', /plugin "Nobody" is unknown$/);
  assert.match(enablingProblem('JobValidation') ?? '', /cannot be enabled/);
  assert.equal(disablingProblem('JobValidation'), undefined);
  assert.match(disablingProblem('Nobody') ?? '', /plugin "Nobody" is unknown$/);
});
