// Runs on a lab machine: containerd, pod cgroups and volumes put together by hand, without a
// kubelet, for two pods of web servers. Writes what it saw to stdout as JSON.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { systemClock as clock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { systemRandom as random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { readCgroupStats } from '#host/cgroup-stats.ts';
import type { PodSandboxConfig } from '#kubelet/cri/mod.ts';
import { createHostFiles, createPodCgroups } from '#kubelet/machine/mod.ts';
import { createVolumeManager, prepareVolumeRoot } from '#kubelet/volumes/mod.ts';
import type { ConfigMap, Pod, Secret } from '#schema/types.ts';
import { startRuntime } from './runtime.ts';

const log = createLogger({
  level: 'info',
  now: clock.now,
  write: (line) => void process.stderr.write(line),
});
const rootDirectory = '/var/lib/kubelet';
const stop = new AbortController();
const { signal } = stop;
const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'conf', namespace: 'default' },
  data: { greeting: 'hello' },
};
const client = createFakeClient({ clock, objects: [configMap] });

function podOf(name: string): Pod {
  const volumeMounts = [
    { name: 'conf', mountPath: '/conf' },
    { name: 'memory', mountPath: '/memory' },
    { name: 'disk', mountPath: '/sub', subPath: 'a/b' },
  ];
  return {
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'docker.io/test/web:1',
          resources: { limits: { cpu: '500m', memory: '64Mi' } },
          volumeMounts,
        },
      ],
      volumes: [
        { name: 'conf', configMap: { name: 'conf' } },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'disk', emptyDir: {} },
      ],
    },
  };
}

const { containerd, cri, layout, tree } = await startRuntime({ ipMasq: true, clock, log, signal });
const cgroups = createPodCgroups({ tree, podsMilliCpu: 2000, podsMemoryBytes: 2 ** 30 });
const files = createHostFiles({ rootDirectory, resolvConf: '/etc/resolv.conf' });
await prepareVolumeRoot(rootDirectory);
const volumes = createVolumeManager({
  rootDirectory,
  client,
  objects: {
    configMap: (namespace, name) => client.get(resources.configMaps, name, { namespace }),
    secret: (namespace, name) => client.get<Secret>(resources.secrets, name, { namespace }),
  },
  events: { event: () => undefined },
  allocatable: () => ({}),
  nodeMemoryBytes: 2 ** 30,
  clock,
  random,
  log,
});

interface Running {
  sandbox: string;
  container: string;
  ip: string;
  tookMs: number;
}

async function run(pod: Pod, hostPort: number): Promise<Running> {
  const begin = clock.monotonicMs();
  const { name, uid = '' } = pod.metadata;
  await cgroups.create(pod);
  const mounted = await volumes.mount(pod, signal);
  const hosts = await files.writeEtcHosts(uid, '127.0.0.1\tlocalhost\n');
  const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const;
  const config: PodSandboxConfig = {
    metadata: { name, uid, namespace: 'default', attempt: 0 },
    hostname: name,
    logDirectory: `/var/log/pods/${name}`,
    dnsConfig: { servers: ['10.43.0.10'], searches: [], options: [] },
    portMappings: [{ protocol: 'TCP', containerPort: 80, hostPort, hostIp: '' }],
    labels: {},
    annotations: {},
    linux: {
      cgroupParent: cgroups.parentOf(pod),
      securityContext: { namespaceOptions },
      sysctls: {},
    },
  };
  await mkdir(config.logDirectory, { recursive: true });
  const sandbox = await cri.runtime.runPodSandbox(config, '');
  const volume = mounted.get('disk');
  if (volume === undefined) throw new Error('no volume');
  const subPath = await volumes.prepareSubPath({
    podUid: uid,
    containerName: 'web',
    mountIndex: 2,
    volumeName: 'disk',
    volume,
    subPath: 'a/b',
    isReadOnly: false,
  });
  const container = await cri.runtime.createContainer(
    sandbox,
    {
      metadata: { name: 'web', attempt: 0 },
      image: { image: 'docker.io/test/web:1' },
      command: [],
      args: [],
      workingDir: '',
      envs: [],
      mounts: [
        { containerPath: '/conf', hostPath: mounted.get('conf')?.hostPath ?? '', readonly: true },
        {
          containerPath: '/memory',
          hostPath: mounted.get('memory')?.hostPath ?? '',
          propagation: 'PROPAGATION_HOST_TO_CONTAINER',
        },
        { containerPath: '/sub', hostPath: subPath },
        { containerPath: '/etc/hosts', hostPath: hosts },
      ],
      devices: [],
      labels: {},
      annotations: {},
      logPath: 'web.log',
      stdin: false,
      stdinOnce: false,
      tty: false,
      linux: {
        resources: { cpuShares: 512, memoryLimitInBytes: 64 << 20, oomScoreAdj: -997 },
        securityContext: { namespaceOptions },
      },
    },
    config,
  );
  await cri.runtime.startContainer(container);
  const status = await cri.runtime.podSandboxStatus(sandbox);
  const tookMs = clock.monotonicMs() - begin;
  return { sandbox, container, ip: status.network?.ip ?? '', tookMs };
}

async function get(address: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return (await (await fetch(`http://${address}/`)).text()).trim();
    } catch (error) {
      if (tries === 100) throw error;
      await clock.sleep(20);
    }
  }
}

const [one, two] = [podOf('one'), podOf('two')];
const [first, second] = [await run(one, 8081), await run(two, 8082)];
const shell = async (script: string): Promise<string> => {
  const result = await cri.runtime.execSync(first.container, ['sh', '-c', script], 10);
  return `${result.stdout.toString()}${result.stderr.toString()}`.trim();
};
const answers = {
  direct: await get(first.ip),
  hostPort: await get('10.99.0.1:8082'),
  between: await shell(`wget -qO- http://${second.ip}/`),
};
const config = await shell('cat /conf/greeting; touch /conf/x; echo m >/memory/f; echo s >/sub/f');
client.modify<ConfigMap>(resources.configMaps, 'default/conf', (map) => ({
  ...map,
  data: { greeting: 'changed' },
}));
await volumes.resync(one, signal);
const afterResync = await shell('cat /conf/greeting');
const stats = await readCgroupStats(layout, cgroups.parentOf(one));
const cgroup = await shell('grep memory /proc/self/cgroup || cat /proc/self/cgroup');
const startMs = [Math.round(first.tookMs), Math.round(second.tookMs)];
for (const { sandbox } of [first, second]) {
  await cri.runtime.stopPodSandbox(sandbox);
  await cri.runtime.removePodSandbox(sandbox);
}
for (const uid of ['uid-one', 'uid-two']) {
  await volumes.unmount(uid);
  await cgroups.remove(uid);
}
const left = {
  pods: await volumes.podsOnDisk(),
  cgroups: await cgroups.list(),
  mounts: (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes('/pods/')),
};
stop.abort();
cri.close();
await containerd.stop();
await rm('/etc/cni/net.d/10-test.conflist');
process.stdout.write(
  JSON.stringify({ answers, config, afterResync, cgroup, stats, left, startMs }),
);
