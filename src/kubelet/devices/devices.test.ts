import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { eventually } from '#base/eventually.ts';
import { silentLogger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import { testContainer, testPod } from '../fake-kubelet.ts';
import type { ContainerConfig } from '../cri/mod.ts';
import { createTopologyManager, NumaNodes } from '../topology/mod.ts';
import { createDevicePlugins } from './device-plugins.ts';
import { startTestPlugin } from './testing/mod.ts';
import type { TestPlugin } from './testing/mod.ts';
import { withDevices } from './with-devices.ts';

const resource = 'acme.test/gpu';
const device = (id: string, health = 'Healthy') => ({ id, health });

function podOf(name: string, count: number, initCount = 0): Pod {
  const limits = (amount: number) => ({ resources: { limits: { [resource]: String(amount) } } });
  const pod = testPod(name, {
    containers: [testContainer('c', limits(count))],
    initContainers: initCount === 0 ? [] : [testContainer('init', limits(initCount))],
  });
  pod.metadata.uid = `uid-${name}`;
  return pod;
}

async function setUp(t: TestContext, isPicky = false) {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-devices-'));
  const directory = join(root, 'device-plugins');
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const pods: Pod[] = [];
  const start = () => {
    const plugins = createDevicePlugins({
      directory,
      clock: systemClock,
      log: silentLogger,
      onChange: () => undefined,
    });
    const podResourcesSocket = join(root, 'pod-resources', 'kubelet.sock');
    running.push(plugins.run({ podResourcesSocket, pods: () => pods, signal: stop.signal }));
    return plugins;
  };
  const plugins = start();
  t.after(async () => {
    await plugin.close();
    stop.abort();
    await Promise.all(running);
    await rm(root, { recursive: true, force: true });
  });
  const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
    await eventually(() => String(check), check);
  };
  await until(() =>
    readFile(join(directory, 'kubelet.sock')).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENXIO',
    ),
  );
  const plugin: TestPlugin = await startTestPlugin({
    directory,
    resource,
    devices: ['a', 'b', 'c'].map((id) => device(id)),
    isPicky,
  });
  await plugin.register();
  await until(() => plugins.counts().capacity[resource] === '3');
  const topology = createTopologyManager({
    policy: 'none',
    scope: 'container',
    policyOptions: {},
    nodes: new NumaNodes([0]),
    providers: [plugins.provider],
    clock: systemClock,
  });
  const admit = topology.admit.bind(topology);
  return { admit, plugins, plugin, until, directory, start, pods };
}

test('devices are counted, reserved at admission and prepared at the start', async (t) => {
  const { admit, plugins, plugin, until, directory } = await setUp(t);
  assert.equal(plugins.counts().allocatable[resource], '3');
  plugin.setDevices([device('a'), device('b'), device('c', 'Unhealthy')]);
  await until(() => plugins.counts().allocatable[resource] === '2');
  assert.equal(plugins.counts().capacity[resource], '3');
  const [one, two] = [podOf('one', 1, 1), podOf('two', 2)];
  assert.equal(admit(one, new Set()), undefined);
  assert.deepEqual(admit(two, new Set([one.metadata.uid ?? ''])), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to requested number of devices unavailable for acme.test/gpu. Requested: 2, Available: 1, which is unexpected',
  });
  // the init container's device is used again by the container after it
  const prepared = await plugins.prepare(one, 'c');
  assert.deepEqual(prepared?.envs, { DEVICES: 'a' });
  await plugins.prepare(one, 'c');
  assert.deepEqual(plugin.calls, ['a']);
  assert.equal(await plugins.prepare(podOf('none', 0), 'c'), undefined);
  // a pod that is over frees its own
  assert.equal(admit(two, new Set()), undefined);
  const entry = '"PodUID":"uid-two","ContainerName":"c","ResourceName":"acme.test/gpu"';
  await plugins.prepare(two, 'c');
  const text = await readFile(join(directory, 'kubelet_internal_checkpoint'), 'utf8');
  assert.ok(text.includes(entry), text);
});

test('what a plugin prefers is taken, and it is told before a start', async (t) => {
  const { admit, plugins, plugin } = await setUp(t, true);
  const pod = podOf('one', 2);
  assert.equal(admit(pod, new Set()), undefined);
  assert.deepEqual((await plugins.prepare(pod, 'c'))?.envs, { DEVICES: 'b,c' });
  assert.deepEqual(plugin.calls, ['b,c', 'preStart b,c']);
});

test('without its plugin a resource has no devices; the checkpoint knows who has which', async (t) => {
  const { admit, plugins, plugin, until, start } = await setUp(t);
  const pod = podOf('one', 1);
  admit(pod, new Set());
  await plugins.prepare(pod, 'c');
  await plugin.close();
  await until(() => plugins.counts().capacity[resource] === '0');
  const next = start();
  await until(() => next.store.allocation('uid-one', 'c').size > 0);
  assert.deepEqual(next.store.allocation('uid-one', 'c').get(resource), ['a']);
  assert.equal(next.counts().capacity[resource], '0');
  await assert.rejects(next.prepare(pod, 'c'), { message: `no endpoint for resource ${resource}` });
});

test('a container gets variables, mounts, devices and CDI names, its own variables first', () => {
  const config = {
    envs: [{ key: 'MODE', value: 'own' }],
    mounts: [],
    devices: [],
    annotations: { kept: 'own' },
  } as unknown as ContainerConfig;
  const file = { containerPath: '/dev/gpu', hostPath: '/dev/null', permissions: 'rw' };
  const made = withDevices(config, {
    envs: { MODE: 'plugin', ID: '1' },
    mounts: [{ containerPath: '/lib/gpu', hostPath: '/opt/gpu', readOnly: true }],
    devices: [file],
    annotations: { kept: 'plugin', more: 'plugin' },
    cdiDevices: [{ name: 'acme.test/gpu=0' }],
  });
  assert.deepEqual(made.envs, [
    { key: 'MODE', value: 'own' },
    { key: 'ID', value: '1' },
  ]);
  assert.equal(made.mounts[0]?.readonly, true);
  assert.deepEqual(made.devices, [file]);
  assert.deepEqual(made.annotations, { kept: 'own', more: 'plugin' });
  assert.deepEqual(made.cdiDevices, [{ name: 'acme.test/gpu=0' }]);
});
