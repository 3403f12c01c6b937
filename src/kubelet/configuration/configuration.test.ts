import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messageOf } from '#base/errors.ts';
import {
  kubeletApiSettings,
  kubeletSettings,
  readKubeletConfiguration,
  shownConfiguration,
} from './mod.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'k3ts-kubelet-config-'));
});
after(() => rm(directory, { recursive: true, force: true }));

const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
const read = (args: readonly string[], dropInDirectory = join(directory, 'none')) =>
  readKubeletConfiguration({ args, dropInDirectory });

test('flags win over drop-ins, drop-ins over the file; maps are merged', async () => {
  const file = join(directory, 'config.yaml');
  const dropIns = join(directory, 'drop-ins');
  await mkdir(dropIns);
  await writeFile(
    file,
    `${head}maxPods: 1\nsyncFrequency: 10s\nkubeReserved: {cpu: 100m}\nimageMinimumGCAge: 1m\n`,
  );
  await writeFile(join(dropIns, '10-a.conf'), `${head}maxPods: 2\nkubeReserved: {memory: 1Gi}\n`);
  await writeFile(join(dropIns, '20-b.conf'), `${head}maxPods: 3\nnodeLeaseDurationSeconds: 20\n`);
  await writeFile(join(dropIns, 'left-out.yaml'), 'no configuration');
  const configuration = await read([`config=${file}`, '--max-pods=4'], dropIns);
  assert.deepEqual(kubeletSettings(configuration), {
    maxPods: 4,
    syncFrequencyMs: 10_000,
    kubeReserved: { cpu: '100m', memory: '1Gi' },
    imageMinimumGcAgeMs: 60_000,
    nodeLeaseDurationSeconds: 20,
  });
});

test('flags have the names and forms of the kubelet', async () => {
  const configuration = await read([
    'eviction-hard=memory.available<5%,nodefs.available<1Gi',
    'register-with-taints=a=b:NoSchedule,c:NoExecute',
    'cluster-dns=10.0.0.10,10.0.0.11',
    'allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*',
    'image-gc-high-threshold=90',
    'cpu-cfs-quota=false',
    'pod-max-pids=100',
    'node-labels=team=a,tier=b',
    'event-qps=10',
    'authentication-token-webhook-cache-ttl=10s',
    'port=10350',
    'seccomp-default',
    'topology-manager-policy=restricted',
    'topology-manager-scope=pod',
    'topology-manager-policy-options=prefer-closest-numa-nodes=true',
    'memory-manager-policy=Static',
    'reserved-memory=0:memory=1Gi,hugepages-2Mi=64Mi',
    'reserved-memory=1:memory=512Mi',
    'feature-gates=CPUManagerPolicyAlphaOptions=true',
  ]);
  assert.deepEqual(kubeletSettings(configuration), {
    evictionHard: { 'memory.available': '5%', 'nodefs.available': '1Gi' },
    nodeTaints: [
      { key: 'a', value: 'b', effect: 'NoSchedule' },
      { key: 'c', effect: 'NoExecute' },
    ],
    clusterDns: ['10.0.0.10', '10.0.0.11'],
    allowedUnsafeSysctls: ['net.core.somaxconn', 'kernel.msg*'],
    imageGcHighThresholdPercent: 90,
    hasCpuQuota: false,
    podPidsLimit: 100,
    kubeletPort: 10350,
    isSeccompDefault: true,
    topologyManagerPolicy: 'restricted',
    topologyManagerScope: 'pod',
    topologyManagerPolicyOptions: { 'prefer-closest-numa-nodes': 'true' },
    memoryManagerPolicy: 'Static',
    reservedMemory: [
      { numaNode: 0, limits: { memory: '1Gi', 'hugepages-2Mi': '64Mi' } },
      { numaNode: 1, limits: { memory: '512Mi' } },
    ],
    hasCpuAlphaOptions: true,
  });
  assert.deepEqual(configuration.nodeLabels, { team: 'a', tier: 'b' });
  assert.deepEqual(configuration.ignored, ['eventRecordQPS']);
  const api = kubeletApiSettings(configuration);
  assert.deepEqual([api.tokenCacheMs, api.allowedCacheMs, api.port], [10_000, 300_000, 10_350]);
});

test('a shutdown has periods for regular and critical pods, or one for each priority', async () => {
  const both = await read(['shutdown-grace-period=30s', 'shutdown-grace-period-critical-pods=10s']);
  assert.deepEqual(kubeletSettings(both).shutdownPeriods, [
    { priority: 0, periodMs: 20_000 },
    { priority: 2_000_000_000, periodMs: 10_000 },
  ]);
  const file = join(directory, 'priorities.yaml');
  const list =
    'shutdownGracePeriodByPodPriority:\n- {priority: 100, shutdownGracePeriodSeconds: 5}\n- {priority: 0, shutdownGracePeriodSeconds: 9}\n';
  await writeFile(file, head + list);
  assert.deepEqual(kubeletSettings(await read([`config=${file}`])).shutdownPeriods, [
    { priority: 0, periodMs: 9000 },
    { priority: 100, periodMs: 5000 },
  ]);
});

test('what is wrong ends the start with upstream texts', async () => {
  const problem = (args: string[]): Promise<string> => read(args).then(() => 'none', messageOf);
  const table: [string, string][] = [
    ['maxpods=1', '--kubelet-arg: unknown flag: --maxpods'],
    [
      'max-pods=many',
      '--kubelet-arg: invalid argument "many" for "--max-pods" flag: strconv.ParseInt: parsing "many": invalid syntax',
    ],
    [
      'max-pods=-1',
      'failed to validate kubelet configuration, error: invalid configuration: maxPods (--max-pods) -1 must not be a negative number, path: ',
    ],
    [
      'feature-gates=NodeSwap=false',
      'failed to validate kubelet configuration, error: invalid configuration: cannot set feature gate NodeSwap to false, feature is locked to true, path: ',
    ],
    [
      'hostname-override=x',
      '--kubelet-arg hostname-override has no effect here: use --node-name of k3ts',
    ],
    [
      'read-only-port=10255',
      '--kubelet-arg read-only-port has no effect here: there is no port without authentication',
    ],
    [
      'eviction-hard=disk<1Gi',
      'failed to validate kubelet configuration, error: invalid configuration: evictionHard (--eviction-hard): unknown eviction signal disk, path: ',
    ],
    [
      'cpu-manager-policy=fast',
      'failed to validate kubelet configuration, error: invalid configuration: cpuManagerPolicy (--cpu-manager-policy): unknown policy: "fast", path: ',
    ],
    [
      'kube-reserved=cpu=much',
      "failed to validate kubelet configuration, error: invalid configuration: kubeReserved (--kube-reserved) cpu: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', path: ",
    ],
    [
      'reserved-memory=0=1Gi',
      '--kubelet-arg: invalid argument "0=1Gi" for "--reserved-memory" flag: the reserved memory has incorrect format, expected numaNodeID:type=quantity[,type=quantity...], got 0=1Gi',
    ],
    [
      'topology-manager-policy=fast',
      'failed to validate kubelet configuration, error: invalid configuration: topologyManagerPolicy (--topology-manager-policy) "fast" must be one of: ["none" "best-effort" "restricted" "single-numa-node"], path: ',
    ],
    ['anonymous-auth=false', 'none'],
    ['read-only-port=0', 'none'],
  ];
  for (const [arg, expected] of table) assert.equal(await problem([arg]), expected);
  const file = join(directory, 'bad.yaml');
  const files: [string, RegExp][] = [
    ['maxPodz: 1', /error: strict decoding error: unknown field "maxPodz"$/],
    [
      'maxPods: "1"',
      /json: cannot unmarshal string into Go struct field KubeletConfiguration.maxPods of type int32$/,
    ],
    ['authentication: {anonymous: {enabled: true}}', /there are no anonymous users$/],
  ];
  for (const [line, expected] of files) {
    await writeFile(file, `${head}${line}\n`);
    assert.match(await problem([`config=${file}`]), expected);
  }
  await writeFile(file, 'kind: Pod\n');
  assert.match(await problem([`config=${file}`]), /no kind "Pod" is registered/);
});

test('configz shows every field, nested, with what was set', async () => {
  const configuration = await read(['max-pods=20', 'anonymous-auth=false']);
  const shown = shownConfiguration(configuration, { clusterDomain: 'test.local' }) as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [shown['maxPods'], shown['clusterDomain'], shown['nodeStatusUpdateFrequency']],
    [20, 'test.local', '10s'],
  );
  assert.deepEqual(shown['authentication'], {
    x509: { clientCAFile: '' },
    webhook: { enabled: true, cacheTTL: '2m0s' },
    anonymous: { enabled: false },
  });
});
