// Runs on a lab machine: containerd and the kubelet over an API server in this process. Takes the name of
// a scenario and writes what it saw to stdout as JSON.
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { systemClock as clock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { systemRandom as random } from '#base/random.ts';
import { onTraceStep } from '#base/trace.ts';
import { startTestServer } from '#apiserver/test-server.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import {
  createHostFiles,
  createPodCgroups,
  readMachineInfo,
  readMachineUsage,
} from '#kubelet/machine/mod.ts';
import { createKubelet, defaultKubeletConfig } from '#kubelet/mod.ts';
import { createVolumeManager, prepareVolumeRoot } from '#kubelet/volumes/mod.ts';
import type { CoreV1Event, Node, Pod, PodSpec } from '#schema/types.ts';
import { startRuntime } from './runtime.ts';

const log = createLogger({
  level: process.env['DEBUG'] === undefined ? 'info' : 'debug',
  now: clock.now,
  write: (line) => void process.stderr.write(line),
});
const rootDir = '/var/lib/kubelet';
const staticPodPath = '/var/lib/rancher/k3s/agent/pod-manifests';
let stop = new AbortController();
const ending = new AbortController();
const { signal } = ending;
const api = await startTestServer();
const { client } = api;
const informers = createInformerFactory({ client, clock, random, log, signal });
const pods = informers.informer<Pod>(resources.pods);
const nodes = informers.informer<Node>(resources.nodes);
const events = informers.informer<CoreV1Event>(resources.events);
informers.start();
for (const name of ['default', 'kube-node-lease']) {
  await client
    .create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    .catch(() => undefined);
}

const { containerd, cri, tree } = await startRuntime({ ipMasq: false, clock, log, signal });
const machine = await readMachineInfo();
await prepareVolumeRoot(rootDir);
await mkdir(staticPodPath, { recursive: true });

const newKubelet = () =>
  createKubelet({
    client,
    cri,
    nodeName: 'node-1',
    rootDir,
    clock,
    random,
    log,
    machine,
    machineUsage: () => readMachineUsage({ nodePath: rootDir, imagePath: '/var/lib/rancher' }),
    volumes: (parts) =>
      createVolumeManager({
        rootDirectory: rootDir,
        client,
        ...parts,
        nodeMemoryBytes: machine.memoryBytes,
        clock,
        random,
        log,
      }),
    cgroups: createPodCgroups({ tree, podsMilliCpu: 2000, podsMemoryBytes: 2 ** 31 }),
    hostFiles: createHostFiles({ rootDirectory: rootDir, resolvConf: '/etc/resolv.conf' }),
    hostPaths: { podLogs: '/var/log/pods', containerLogs: '/var/log/containers' },
    config: {
      ...defaultKubeletConfig,
      staticPodPath,
      nodeIps: ['10.99.0.1'],
      clusterDns: ['10.43.0.10'],
    },
  });

function podOf(name: string, spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', generation: 1 },
    spec: {
      nodeName: 'node-1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      containers: [container('web')],
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

function container(name: string, more: object = {}) {
  return {
    name,
    image: 'docker.io/test/web:1',
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...more,
  };
}

const shell = (script: string) => ({
  image: 'docker.io/test/busybox:1',
  command: ['/bin/sh', '-c', script],
});

const key = (name: string): string => `default/${name}`;
const stored = (name: string): Pod | undefined => pods.get(key(name));

async function until(what: string, condition: () => boolean, timeoutMs = 90_000): Promise<number> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > timeoutMs) {
      const statuses = JSON.stringify(pods.list().map(({ status }) => status));
      throw new Error(`${what} did not happen: ${statuses} ${JSON.stringify(eventTexts())}`);
    }
    await clock.sleep(2);
  }
  return performance.now() - startMs;
}

function eventTexts(): string[] {
  return events
    .list()
    .map(({ involvedObject, reason, message }) => `${involvedObject.name} ${reason}: ${message}`);
}

const isRunning = (name: string) => (): boolean => stored(name)?.status?.phase === 'Running';
const isReady = (name: string) => (): boolean =>
  stored(name)?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';

async function createAndRun(pod: Pod): Promise<number> {
  await client.create(resources.pods, pod, { namespace: 'default' });
  return await until(`${pod.metadata.name} Running`, isRunning(pod.metadata.name));
}

async function deleteAndWait(name: string): Promise<number> {
  await client.delete(resources.pods, name, { namespace: 'default', gracePeriodSeconds: 30 });
  return await until(`${name} gone`, () => stored(name) === undefined);
}

const scenarios: Record<string, () => Promise<unknown>> = {
  async latency() {
    const startMs: number[] = [];
    const goneMs: number[] = [];
    const steps: Record<string, number[]> = {};
    const off = onTraceStep(({ step, startMs: from, endMs }) => {
      (steps[step] ??= []).push(Math.round(endMs - from));
    });
    for (let i = 0; i < 8; i++) {
      startMs.push(Math.round(await createAndRun(podOf(`p${i}`))));
      goneMs.push(Math.round(await deleteAndWait(`p${i}`)));
    }
    off();
    return { startMs, goneMs, steps };
  },
  async life() {
    await createAndRun(podOf('one'));
    await until('ready', isReady('one'));
    const status = stored('one')?.status;
    const lookup = kubelet.getContainer('default', 'one', 'web');
    await deleteAndWait('one');
    return { status, lookup, node: nodes.get('node-1'), events: eventTexts() };
  },
  async init() {
    const spec: Partial<PodSpec> = {
      initContainers: [
        container('first', shell('echo one >/data/x')),
        {
          ...container('side', shell('trap "exit 0" TERM; while :; do sleep 0.1; done')),
          restartPolicy: 'Always',
        },
        container('second', shell('echo two >>/data/x')),
      ].map((one) => ({ ...one, volumeMounts: [{ name: 'data', mountPath: '/data' }] })),
      containers: [
        container('main', {
          ...shell('cat /data/x >/dev/termination-log; echo log; exit 3'),
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        }),
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
      restartPolicy: 'Never',
    };
    await client.create(resources.pods, podOf('job', spec), { namespace: 'default' });
    const tookMs = await until('job over', () => stored('job')?.status?.phase === 'Failed');
    return { tookMs, status: stored('job')?.status, events: eventTexts() };
  },
  async crash() {
    const spec = { containers: [container('c', { image: 'docker.io/test/crash:1' })] };
    await client.create(resources.pods, podOf('crash', spec), { namespace: 'default' });
    const waiting = (): string | undefined =>
      stored('crash')?.status?.containerStatuses?.[0]?.state?.waiting?.message;
    const firstMs = await until(
      'back-off',
      () => waiting() !== undefined && waiting()!.startsWith('back-off 10s'),
    );
    const first = stored('crash')?.status;
    const secondMs = await until(
      'second back-off',
      () => waiting()?.startsWith('back-off 20s') === true,
    );
    const second = stored('crash')?.status?.containerStatuses;
    const goneMs = await deleteAndWait('crash');
    return { firstMs, secondMs, goneMs, first, second, events: eventTexts() };
  },
  async probes() {
    const readinessProbe = { httpGet: { path: '/healthz', port: 80 }, periodSeconds: 1 };
    const livenessProbe = {
      exec: { command: ['/bin/sh', '-c', 'test ! -e /tmp/dead'] },
      periodSeconds: 1,
      failureThreshold: 1,
    };
    const spec = {
      containers: [container('web', { readinessProbe, livenessProbe })],
      terminationGracePeriodSeconds: 1,
    };
    await createAndRun(podOf('probed', spec));
    const readyMs = await until('ready', isReady('probed'));
    const lookup = kubelet.getContainer('default', 'probed', 'web');
    await cri.runtime.execSync(lookup?.containerId ?? '', ['/bin/touch', '/tmp/dead'], 5);
    const restartMs = await until(
      'restart',
      () => stored('probed')?.status?.containerStatuses?.[0]?.restartCount === 1,
    );
    return { readyMs, restartMs, status: stored('probed')?.status, events: eventTexts() };
  },
  async features() {
    await client.create(resources.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { KEY: 'value' },
    });
    const script = `
      id -u; hostname; tail -n 2 /etc/hosts; grep search /etc/resolv.conf; echo "$KEY $IP"
      touch /x 2>&1; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status
      cat /proc/sys/net/ipv4/ip_unprivileged_port_start
      trap 'cat /data/stop; exit 0' TERM; while :; do sleep 0.1; done`;
    const main = {
      ...container('main', shell(script)),
      env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      envFrom: [{ configMapRef: { name: 'conf' } }],
      securityContext: {
        runAsUser: 1000,
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
      lifecycle: {
        postStart: { exec: { command: ['/bin/sh', '-c', 'echo hooked >/data/start'] } },
        preStop: { exec: { command: ['/bin/sh', '-c', 'echo bye >/data/stop'] } },
      },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    };
    await createAndRun(
      podOf('full', {
        hostname: 'custom',
        hostAliases: [{ ip: '1.2.3.4', hostnames: ['alias'] }],
        securityContext: {
          fsGroup: 2000,
          sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '7' }],
        },
        containers: [main],
        volumes: [{ name: 'data', emptyDir: {} }],
      }),
    );
    const { logPath = '' } = kubelet.getContainer('default', 'full', 'main') ?? {};
    const output = async (): Promise<string> => {
      const lines = (await readFile(logPath, 'utf8')).trim().split('\n');
      return lines.map((line) => line.split(' ').slice(3).join(' ')).join('\n');
    };
    const debugging = {
      ...container('debug', shell('ps | grep -c "[w]hile"; sleep 1000')),
      targetContainerName: 'main',
    };
    await client.patch(
      resources.pods,
      'full',
      { type: 'strategic', body: { spec: { ephemeralContainers: [debugging] } } },
      { namespace: 'default', subresource: 'ephemeralcontainers' },
    );
    const debug = () => stored('full')?.status?.ephemeralContainerStatuses?.[0];
    await until('debug', () => debug()?.state?.running !== undefined);
    await clock.sleep(300);
    const debugLog = kubelet.getContainer('default', 'full', 'debug')?.logPath ?? '';
    const sees = (await readFile(debugLog, 'utf8')).trim().split(' ').at(-1);
    const text = await output();
    const log = await open(logPath);
    await deleteAndWait('full');
    const last = (await log.readFile('utf8')).trim().split('\n').at(-1)?.split(' ').at(-1);
    await log.close();
    return { text, sees, last };
  },
  async grace() {
    const spec = {
      containers: [container('c', shell('trap "" TERM; while :; do sleep 0.1; done'))],
    };
    await createAndRun(podOf('deaf', spec));
    await clock.sleep(100);
    const startMs = performance.now();
    await client.delete(resources.pods, 'deaf', { namespace: 'default', gracePeriodSeconds: 30 });
    await clock.sleep(300);
    await client.delete(resources.pods, 'deaf', { namespace: 'default', gracePeriodSeconds: 1 });
    await until('deaf gone', () => stored('deaf') === undefined);
    return { tookMs: Math.round(performance.now() - startMs) };
  },
  async static() {
    const manifest = `apiVersion: v1
kind: Pod
metadata: {name: fixed}
spec:
  hostNetwork: true
  containers: [{name: web, image: 'docker.io/test/web:1', env: [{name: PORT, value: '8090'}]}]
`;
    await writeFile(`${staticPodPath}/fixed.yaml`, manifest);
    await until('mirror runs', isRunning('fixed-node-1'));
    const mirror = stored('fixed-node-1');
    const answer = await (await fetch('http://10.99.0.1:8090/healthz')).text();
    await writeFile(`${staticPodPath}/fixed.yaml`, manifest.replace('8090', '8091'));
    const isReplaced = (): boolean => stored('fixed-node-1')?.metadata.uid !== mirror?.metadata.uid;
    await until('replaced', () => isReplaced() && isRunning('fixed-node-1')(), 60_000);
    const second = await (await fetch('http://10.99.0.1:8091/healthz')).text();
    await rm(`${staticPodPath}/fixed.yaml`);
    await until('mirror gone', () => stored('fixed-node-1') === undefined, 60_000);
    await until('stopped', () => kubelet.runningPods().length === 0, 60_000);
    return {
      annotations: mirror?.metadata.annotations,
      podIP: mirror?.status?.podIP,
      answer,
      second,
    };
  },
  async adopt() {
    await createAndRun(podOf('kept'));
    await createAndRun(podOf('orphan'));
    const before = kubelet.getContainer('default', 'kept', 'web')?.containerId;
    await stopKubelet();
    await client.delete(resources.pods, 'orphan', { namespace: 'default', gracePeriodSeconds: 0 });
    await startKubelet();
    const isOrphan = ({ metadata }: Pod): boolean => metadata.name === 'orphan';
    await until('orphan stopped', () => !kubelet.runningPods().some(isOrphan));
    await clock.sleep(1500);
    const after = kubelet.getContainer('default', 'kept', 'web')?.containerId;
    const { restartCount } = stored('kept')?.status?.containerStatuses?.[0] ?? {};
    const ready = stored('kept')?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    await deleteAndWait('kept');
    let left = await cri.runtime.listContainers();
    for (let tries = 0; left.length > 0 && tries < 50; tries++) {
      await clock.sleep(20);
      left = await cri.runtime.listContainers();
    }
    return {
      isSame: before === after,
      restartCount,
      ready,
      left,
    };
  },
  async burst() {
    const count = 30;
    const startMs = performance.now();
    for (let i = 0; i < count; i++) {
      void client.create(resources.pods, podOf(`b${i}`), { namespace: 'default' });
    }
    await until(
      'all running',
      () => pods.list().filter(({ status }) => status?.phase === 'Running').length === count,
      60_000,
    );
    const runningMs = performance.now() - startMs;
    const deleteMs = performance.now();
    for (let i = 0; i < count; i++)
      void client.delete(resources.pods, `b${i}`, { namespace: 'default', gracePeriodSeconds: 30 });
    await until('all gone', () => pods.list().length === 0, 60_000);
    return { runningMs, goneMs: performance.now() - deleteMs };
  },
};

let kubelet = await newKubelet();
async function stopKubelet(): Promise<void> {
  stop.abort();
  await kubelet.done();
}
async function startKubelet(): Promise<void> {
  stop = new AbortController();
  kubelet = await newKubelet();
  await kubelet.start(stop.signal);
}

const begin = performance.now();
await kubelet.start(stop.signal);
const isNodeReady = (): boolean =>
  nodes.get('node-1')?.status?.conditions?.at(-1)?.status === 'True';
await until('node ready', isNodeReady);
const readyMs = Math.round(performance.now() - begin);
const result = await scenarios[process.argv[2] ?? 'life']?.();
await stopKubelet();
await containerd.stop();
cri.close();
ending.abort();
await informers.done();
await api.close();
// The API server's grace timer would keep the process for five seconds more.
process.stdout.write(JSON.stringify({ readyMs, result }), () => process.exit(0));
