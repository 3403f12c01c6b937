import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Container, CoreV1Event, Pod, PodSpec } from '#schema/types.ts';
import { createFakeCri } from './cri/fake-cri.ts';
import { createKubelet } from './kubelet.ts';
import { defaultKubeletConfig } from './kubelet-config.ts';
import type { KubeletConfig } from './kubelet-config.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import type { MachineUsage } from './machine-info.ts';
import { pluginName } from './volumes/plugin-name.ts';
import type { MountedVolume } from './volume-host.ts';

/** A kubelet over an API server and a runtime in memory, on a clock of the test's own. */
export async function startFakeKubelet(
  options: {
    config?: Partial<KubeletConfig>;
    pods?: readonly Pod[];
    /** The machine's numbers; asked at each look. */
    usage?: () => Partial<MachineUsage>;
    podUsage?: KubeletOptions['podUsage'];
    /** Why no volume can be mounted. */
    mount?: string;
    /** Why no image can be mounted. */
    imageMount?: string;
    /** Why no cgroup can be made. */
    cgroup?: string;
    /** Awaited by each mount. */
    onMount?: (signal: AbortSignal) => Promise<void>;
  } = {},
) {
  const clock = new FakeClock();
  const random = seededRandom(7);
  const client = createFakeClient({ clock, random, objects: options.pods ?? [] });
  const cri = createFakeCri({ clock });
  cri.addImage('test:1');
  const logs = await mkdtemp(join(tmpdir(), 'k3ts-kubelet-'));
  const terminationLogs = new Map<string, string>();
  const order: string[] = [];
  const imageVolumes = new Map<string, MountedVolume>();
  const volumeImages = new Set<string>();
  const mountedPods = new Set<string | undefined>();
  const build = () =>
    createKubelet({
      client,
      cri,
      nodeName: 'node-1',
      rootDir: join(logs, 'root'),
      clock,
      random,
      log: silentLogger,
      machine: fakeMachine,
      machineUsage: async () => ({ ...fakeUsage, ...options.usage?.() }),
      podUsage: options.podUsage,
      volumes: ({ onMount }) => ({
        mount: async (pod, signal) => {
          await options.onMount?.(signal);
          if (options.mount !== undefined) throw new Error(options.mount);
          const volumes = (pod.spec?.volumes ?? []).filter(({ image }) => image === undefined);
          const names = volumes.map(({ name }) => name);
          const isFirst = !mountedPods.has(pod.metadata.uid);
          mountedPods.add(pod.metadata.uid);
          for (const plugin of volumes.map(pluginName)) {
            if (isFirst && plugin !== undefined) onMount({ plugin, isOk: true, tookMs: 0 });
          }
          return new Map(names.map((name) => [name, { hostPath: `/volumes/${name}` }]));
        },
        mountImage: async ({ podUid, volumeName, imageId }) => {
          if (options.imageMount !== undefined) throw new Error(options.imageMount);
          order.push(`mount ${imageId}`);
          volumeImages.add(imageId);
          const volume = { hostPath: `/images/${volumeName}`, isReadOnly: true };
          imageVolumes.set(`${podUid}/${volumeName}`, volume);
          return volume;
        },
        mounted: () =>
          new Map([['plain', { hostPath: '/volumes/plain', plugin: 'kubernetes.io/empty-dir' }]]),
        mountedImage: async (uid, name) => imageVolumes.get(`${uid}/${name}`),
        imagesInUse: async () => [...volumeImages],
        resync: async (pod) => void order.push(`resync ${pod.metadata.labels?.['app'] ?? ''}`),
        unmount: async (uid) => void order.push(`unmount ${uid}`),
        prepareSubPath: async ({ volume, subPath }) => `${volume.hostPath}/${subPath}`,
        podsOnDisk: async () => [],
        inUse: () => [],
      }),
      cgroups: {
        version: 2,
        parentOf: (pod) => `/kubepods/pod${pod.metadata.uid}`,
        create: async () => {
          if (options.cgroup !== undefined) throw new Error(options.cgroup);
        },
        remove: async (uid) => void order.push(`remove cgroup ${uid}`),
        removeContainer: async (_pod, id) => void order.push(`remove cgroup of container ${id}`),
        list: async () => [],
      },
      hostFiles: {
        readHosts: async () => '127.0.0.1\tlocalhost\n',
        readResolvConf: async () => 'nameserver 9.9.9.9\n',
        writeEtcHosts: async (uid) => `/pods/${uid}/etc-hosts`,
        createTerminationLog: async (uid, name) => `/pods/${uid}/${name}`,
        readTail: async (path) => terminationLogs.get(path),
      },
      hostPaths: { podLogs: join(logs, 'pods'), containerLogs: join(logs, 'containers') },
      config: { ...defaultKubeletConfig, nodeIps: ['10.0.0.1'], ...options.config },
    });
  const stopping = new AbortController();
  const kubelet = await build();
  const starting = kubelet.start(stopping.signal);
  const stored = (name: string) => client.stored<Pod>(resources.pods, `default/${name}`);

  /** Lets everything that does not wait for the clock run, until the condition holds. */
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    const state = (): string => {
      const statuses = client.all<Pod>(resources.pods).map(({ status }) => status);
      return `${what}, with ${JSON.stringify([statuses, cri.calls])},`;
    };
    await eventually(state, condition);
  };
  let isStarted = false;
  void starting.then(() => (isStarted = true));
  await until('the start', () => isStarted);

  return {
    kubelet,
    client,
    cri,
    clock,
    order,
    terminationLogs,
    stored,
    until,
    build,
    /** Moves the clock in steps, so that what each timer starts gets done in between. */
    async pass(ms: number, stepMs = 500) {
      for (let left = ms; left > 0; left -= stepMs) {
        await clock.advance(Math.min(stepMs, left));
        // Files are real: a question to the disk waits for those asked before.
        for (let turn = 0; turn < 8; turn++) await stat(tmpdir());
      }
    },
    create: (pod: Pod) => client.create(resources.pods, pod, { namespace: 'default' }),
    delete: (name: string, gracePeriodSeconds = 30) =>
      client.delete(resources.pods, name, { namespace: 'default', gracePeriodSeconds }),
    phase: (name: string) => stored(name)?.status?.phase,
    waiting: (name: string) => stored(name)?.status?.containerStatuses?.[0]?.state?.waiting,
    events: () =>
      client
        .all<CoreV1Event>(resources.events)
        .map(({ reason, message }) => `${reason}: ${message}`),
    async close() {
      stopping.abort();
      await kubelet.done();
      await rm(logs, { recursive: true, force: true });
    },
  };
}

const fakeMachine = {
  cpuCount: 2,
  memoryBytes: 4 * 2 ** 30,
  machineId: 'machine',
  systemUuid: 'system',
  bootId: 'boot',
  kernelVersion: '6.1',
  osImage: 'Test',
  architecture: 'amd64',
};

const roomy = {
  capacityBytes: 100 * 2 ** 30,
  availableBytes: 80 * 2 ** 30,
  inodes: 1e6,
  inodesFree: 9e5,
};

const fakeUsage = {
  memoryAvailableBytes: 3 * 2 ** 30,
  nodeFs: roomy,
  imageFs: roomy,
  maxPid: 32768,
  processCount: 100,
};

export function testContainer(name: string, more: Partial<Container> = {}): Container {
  return { name, image: 'test:1', imagePullPolicy: 'IfNotPresent', ...more };
}

export function testPod(name: string, spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', generation: 1 },
    spec: {
      nodeName: 'node-1',
      restartPolicy: 'Always',
      containers: [testContainer('c')],
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}
