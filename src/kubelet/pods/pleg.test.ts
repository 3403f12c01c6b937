import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { createFakeCri } from '../cri/fake-cri.ts';
import type { ContainerConfig, ContainerEvent, PodSandboxConfig } from '../cri/mod.ts';
import { runtimeLabels } from './names.ts';
import { createPleg } from './pleg.ts';
import { createRuntimeCache } from './runtime-cache.ts';

const labels = {
  [runtimeLabels.podName]: 'p',
  [runtimeLabels.podNamespace]: 'n',
  [runtimeLabels.podUid]: 'u',
};

const config: PodSandboxConfig = {
  metadata: { name: 'p', namespace: 'n', uid: 'u', attempt: 0 },
  hostname: '',
  logDirectory: '',
  dnsConfig: { servers: [], searches: [], options: [] },
  portMappings: [],
  labels,
  annotations: {},
  linux: {
    cgroupParent: '',
    securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } },
    sysctls: {},
  },
};

const containerConfig: ContainerConfig = {
  metadata: { name: 'c', attempt: 0 },
  image: { image: 'i', annotations: {} },
  command: [],
  args: [],
  workingDir: '',
  envs: [],
  mounts: [],
  devices: [],
  labels,
  annotations: {},
  logPath: '',
  stdin: false,
  stdinOnce: false,
  tty: false,
  linux: {
    resources: {},
    securityContext: {
      namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
    },
  },
};

function plegOver(events?: AsyncIterable<ContainerEvent>) {
  const clock = new FakeClock();
  const cri = createFakeCri({ clock });
  const changed: string[] = [];
  let lists = 0;
  const runtime = {
    ...cri.runtime,
    listPodSandbox: async () => {
      lists += 1;
      return await cri.runtime.listPodSandbox();
    },
    ...(events === undefined ? {} : { containerEvents: () => events }),
  };
  const onChange = [(uid: string) => void changed.push(uid)];
  const cache = createRuntimeCache({
    onChange: (uid) => {
      for (const listener of onChange) listener(uid);
    },
  });
  const pleg = createPleg({ runtime, cache, clock, log: silentLogger });
  return { clock, cri, cache, pleg, changed, runtime, onChange, lists: () => lists };
}

test('a list tells only of what changed, and drops what is gone', async () => {
  const { cri, cache, pleg, changed } = plegOver();
  const id = await cri.runtime.runPodSandbox(config, '');
  await pleg.relist();
  assert.deepEqual(changed, ['u']);
  await pleg.relist();
  assert.equal(changed.length, 1);
  await cri.runtime.removePodSandbox(id);
  await pleg.relist();
  assert.deepEqual([changed.length, cache.pods().length], [2, 0]);
});

test('an outcome put in during a list is not overwritten by it', async () => {
  const { cri, cache, pleg, changed } = plegOver();
  const listing = pleg.relist();
  const id = await cri.runtime.runPodSandbox(config, '');
  cache.putSandbox(await cri.runtime.podSandboxStatus(id));
  await listing;
  assert.equal(cache.pod('u').sandboxes.length, 1);
  assert.deepEqual(changed, []);
});

test('a container that ends with its sandbox is told together with it', async () => {
  const { cri, cache, pleg, runtime, onChange } = plegOver();
  const id = await cri.runtime.runPodSandbox(config, '');
  const container = await cri.runtime.createContainer(id, containerConfig, config);
  await cri.runtime.startContainer(container);
  await pleg.relist();
  const seen: string[] = [];
  onChange.push(() => {
    const [sandbox] = cache.pod('u').sandboxes;
    seen.push(`${sandbox?.state} ${cache.pod('u').containers[0]?.state}`);
  });
  // The list of sandboxes is from before, the list of containers from after the end.
  const listed = await cri.runtime.listPodSandbox();
  runtime.listPodSandbox = () => Promise.resolve(listed);
  await cri.runtime.stopPodSandbox(id);
  await pleg.relist();
  assert.deepEqual(seen.at(-1), 'SANDBOX_NOTREADY CONTAINER_EXITED');
  assert.ok(!seen.includes('SANDBOX_READY CONTAINER_EXITED'), 'nothing to be restarted in it');
});

test('lists each second while something runs, each five seconds otherwise', async () => {
  const { clock, cri, pleg, lists } = plegOver();
  const stopping = new AbortController();
  const running = pleg.run(stopping.signal);
  await clock.advance(0);
  await clock.advance(10_000);
  assert.equal(lists(), 3);
  await cri.runtime.runPodSandbox(config, '');
  await clock.advance(5_000);
  const before = lists();
  for (let second = 0; second < 10; second++) await clock.advance(1_000);
  assert.equal(lists() - before, 10);
  stopping.abort();
  await running;
});

test('events of the runtime are taken over at once, and lists become rare', async () => {
  const sandbox = {
    id: 's',
    metadata: config.metadata,
    state: 'SANDBOX_READY' as const,
    createdAt: 1,
    labels,
    annotations: {},
    runtimeHandler: '',
  };
  const event: ContainerEvent = {
    containerId: 's',
    containerEventType: 'CONTAINER_STARTED_EVENT',
    createdAt: 1,
    podSandboxStatus: sandbox,
    containersStatuses: [],
  };
  const ended = Promise.withResolvers<void>();
  async function* events(): AsyncGenerator<ContainerEvent> {
    yield event;
    await ended.promise;
  }
  const { clock, cache, pleg, changed, lists } = plegOver(events());
  const stopping = new AbortController();
  const running = pleg.run(stopping.signal);
  await clock.advance(0);
  assert.deepEqual([changed, cache.pod('u').sandboxes[0]?.id], [['u'], 's']);
  await clock.advance(5_000);
  const before = lists();
  await clock.advance(25_000);
  assert.ok(lists() - before <= 1);
  stopping.abort();
  ended.resolve();
  await running;
});
