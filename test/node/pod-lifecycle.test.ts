/**
 * What a pod may ask of its node beyond running: its life cycle case by case on one node with real
 * containers. The pods name their node, so that only the kubelet is in play.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CoreV1EventList, Node, Pod, PodSpec } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
const image = 'docker.io/test/busybox:1';
let node: TestNode;

const dropIn = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 77
allowedUnsafeSysctls: [net.core.somaxconn]
shutdownGracePeriod: 6s
`;

before(async () => {
  if (skip !== false) return;
  node = await startNode({
    images: await Promise.all([fixtures.web(), fixtures.busybox()]),
    args: [
      '--kubelet-arg=manifest-url=http://127.0.0.1:8099/pods.yaml',
      '--kubelet-arg=http-check-frequency=1s',
    ],
    isStopped: true,
  });
  const directory = '/var/lib/rancher/k3s/agent/etc/kubelet.conf.d';
  await node.machine.sh(
    `mkdir -p ${directory} /var/lib/rancher/www; cat >${directory}/10-test.conf`,
    {
      stdin: dropIn,
    },
  );
  await node.restart();
  await node.waitReady();
});
after(async () => await node?.close());

async function kubectl(line: string): Promise<string> {
  return await node.kubectl(line.split(' '), { timeoutMs: 120_000 });
}
async function get(name: string): Promise<Pod> {
  return JSON.parse(await kubectl(`get pod ${name} -o json`)) as Pod;
}
async function until(name: string, what: string, isSo: (pod: Pod) => boolean): Promise<Pod> {
  let pod = await get(name);
  await waitFor(`${name}: ${what}`, async () => isSo((pod = await get(name))));
  return pod;
}
const hasPhase = (phase: string) => (pod: Pod) => pod.status?.phase === phase;
async function create(...pods: [name: string, spec: Partial<PodSpec>][]): Promise<void> {
  const manifests = pods.map(([name, spec]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: node.machine.name, terminationGracePeriodSeconds: 1, ...spec },
  }));
  await node.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
}
const shell = (script: string, more: object = {}) => ({
  name: 'c',
  image,
  command: ['sh', '-c', script],
  ...more,
});
const idle = shell('trap "exit 0" TERM; sleep 1000 & wait');
async function events(name: string): Promise<string[]> {
  const text = await kubectl(`get events --field-selector involvedObject.name=${name} -o json`);
  const { items } = JSON.parse(text) as CoreV1EventList;
  return items.map(({ reason, message }) => `${reason}: ${message}`);
}
const condition = (pod: Pod, type: string) =>
  pod.status?.conditions?.find((one) => one.type === type);

test(
  'a resize changes limits in place, or by a restart where the policy says so',
  { skip },
  async () => {
    const resources = {
      requests: { cpu: '100m', memory: '32Mi' },
      limits: { cpu: '200m', memory: '64Mi' },
    };
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    await create(['resize', { containers: [{ ...idle, resources, resizePolicy }] }]);
    await until('resize', 'running', hasPhase('Running'));
    const ask = async (wanted: object): Promise<void> => {
      const patch = JSON.stringify({ spec: { containers: [{ name: 'c', resources: wanted }] } });
      await node.kubectl(['patch', 'pod', 'resize', '--subresource=resize', '-p', patch]);
    };
    await ask({ requests: { cpu: '150m' }, limits: { cpu: '300m' } });
    const limitOf = (pod: Pod, name: string) =>
      pod.status?.containerStatuses?.[0]?.resources?.limits?.[name];
    const resized = await until('resize', 'more cpu', (pod) => limitOf(pod, 'cpu') === '300m');
    assert.equal(resized.status?.containerStatuses?.[0]?.restartCount, 0);
    const quota = 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cut -d" " -f1 /sys/fs/cgroup/cpu.max';
    const inside = await node.kubectl([
      'exec',
      'resize',
      '--',
      'sh',
      '-c',
      `(${quota}) 2>/dev/null`,
    ]);
    assert.equal(inside.trim(), '30000');
    await ask({ limits: { memory: '96Mi' } });
    const restarted = await until('resize', 'a restart', (pod) => {
      const status = pod.status?.containerStatuses?.[0];
      return (
        status?.restartCount === 1 &&
        status.ready &&
        condition(pod, 'PodResizeInProgress') === undefined
      );
    });
    assert.equal(limitOf(restarted, 'memory'), '96Mi');
    await ask({ requests: { cpu: '1000' }, limits: { cpu: '1000' } });
    const refused = await until(
      'resize',
      'refusal',
      (pod) => condition(pod, 'PodResizePending') !== undefined,
    );
    const { reason, message } = condition(refused, 'PodResizePending') ?? {};
    assert.equal(reason, 'Infeasible');
    assert.match(
      message ?? '',
      /^Node didn't have enough capacity: cpu, requested: 1000000, capacity: \d+$/,
    );
    const seen = (await events('resize')).map((text) => text.split(':')[0]);
    for (const name of ['ResizeStarted', 'ResizeCompleted', 'ResizeInfeasible']) {
      assert.ok(seen.includes(name), name);
    }
  },
);

test('a container restarts the whole pod in place by its rule', { skip }, async () => {
  const restartPolicyRules = [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } },
  ];
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const once = 'if [ -e /v/seen ]; then sleep 1000; fi; touch /v/seen; sleep 1; exit 42';
  await create([
    'again',
    {
      restartPolicy: 'Never',
      volumes: [{ name: 'v', emptyDir: {} }],
      initContainers: [shell('echo run >>/v/init', { name: 'init', volumeMounts })],
      containers: [
        shell(once, { restartPolicy: 'Never', restartPolicyRules, volumeMounts }),
        { ...idle, name: 'other', volumeMounts },
      ],
    },
  ]);
  const pod = await until('again', 'everything started again', ({ status }) =>
    (status?.containerStatuses ?? []).every(
      ({ restartCount, ready }) => restartCount === 1 && ready,
    ),
  );
  assert.equal(condition(pod, 'AllContainersRestarting')?.status, 'False');
  const runs = await node.kubectl(['exec', 'again', '-c', 'other', '--', 'cat', '/v/init']);
  assert.equal(runs, 'run\nrun\n');
  const last = pod.status?.containerStatuses?.[1]?.lastState?.terminated;
  assert.deepEqual([last?.reason, last?.exitCode], ['RestartingAllContainers', 137]);
});

test('sidecars start first, end last, and do not keep a pod that is done', { skip }, async () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const told = (name: string): string =>
    `echo ${name} begins >>/v/log; trap 'echo ${name} ends >>/v/log; exit 0' TERM; sleep 1000 & wait`;
  const sidecar = (name: string) =>
    shell(told(name), { name, restartPolicy: 'Always', volumeMounts });
  const volumes = [
    { name: 'v', hostPath: { path: '/var/lib/rancher/order', type: 'DirectoryOrCreate' } },
  ];
  const initContainers = [sidecar('one'), sidecar('two')];
  await create(
    [
      'order',
      {
        terminationGracePeriodSeconds: 10,
        volumes,
        initContainers,
        containers: [shell(told('main'), { volumeMounts })],
      },
    ],
    [
      'done',
      {
        restartPolicy: 'Never',
        initContainers: [{ ...idle, name: 'side', restartPolicy: 'Always' }],
        containers: [shell('exit 0')],
      },
    ],
  );
  await until('order', 'ready', (pod) => condition(pod, 'Ready')?.status === 'True');
  await kubectl('delete pod order --timeout=100s');
  const log = await node.machine.sh('cat /var/lib/rancher/order/log');
  const words = ['one begins', 'two begins', 'main begins', 'main ends', 'two ends', 'one ends'];
  assert.deepEqual(log.trim().split('\n'), words);
  const done = await until('done', 'success', hasPhase('Succeeded'));
  assert.equal(done.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 0);
});

test('hooks, deadlines and probes end containers as they should', { skip }, async () => {
  const volumes = [
    { name: 'v', hostPath: { path: '/var/lib/rancher/hooks', type: 'DirectoryOrCreate' } },
  ];
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const exec = (script: string) => ({ exec: { command: ['sh', '-c', script] } });
  const stubborn = 'trap "" TERM; while :; do sleep 1; done';
  await create(
    [
      'hooks',
      {
        volumes,
        terminationGracePeriodSeconds: 5,
        containers: [
          {
            ...idle,
            volumeMounts,
            lifecycle: { postStart: exec('echo post >/v/post'), preStop: exec('echo pre >/v/pre') },
          },
        ],
      },
    ],
    [
      'badhook',
      {
        restartPolicy: 'Never',
        containers: [shell('sleep 1000', { lifecycle: { postStart: exec('exit 3') } })],
      },
    ],
    ['late', { activeDeadlineSeconds: 2, containers: [idle] }],
    [
      'sick',
      {
        terminationGracePeriodSeconds: 600,
        containers: [
          shell(stubborn, {
            livenessProbe: {
              ...exec('exit 1'),
              periodSeconds: 1,
              failureThreshold: 1,
              terminationGracePeriodSeconds: 1,
            },
          }),
        ],
      },
    ],
  );
  await until('hooks', 'running', hasPhase('Running'));
  await kubectl('delete pod hooks --timeout=100s');
  assert.equal(
    await node.machine.sh('cat /var/lib/rancher/hooks/post /var/lib/rancher/hooks/pre'),
    'post\npre\n',
  );
  await until('badhook', 'failure', hasPhase('Failed'));
  assert.ok((await events('badhook')).includes('FailedPostStartHook: PostStartHook failed'));
  const late = await until('late', 'failure', hasPhase('Failed'));
  assert.equal(late.status?.reason, 'DeadlineExceeded');
  const sick = await until(
    'sick',
    'a restart',
    ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1,
  );
  assert.equal(sick.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
  assert.ok(
    (await events('sick')).includes(
      'Killing: Container c failed liveness probe, will be restarted',
    ),
  );
  const metrics = await kubectl(
    `get --raw /api/v1/nodes/${node.machine.name}/proxy/metrics/probes`,
  );
  assert.match(
    metrics,
    /prober_probe_total\{container="c",.*pod="sick",.*probe_type="Liveness",result="failed"\} \d/,
  );
});

test('what cannot run says why, in upstream words', { skip }, async () => {
  const nonRoot = { securityContext: { runAsNonRoot: true } };
  await create(
    [
      'sysctl',
      { containers: [idle], securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    ],
    [
      'allowed',
      {
        containers: [idle],
        securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '99' }] },
      },
    ],
    ['big', { containers: [{ ...idle, resources: { requests: { cpu: '900' } } }] }],
    ['picky', { containers: [idle], nodeSelector: { no: 'such' } }],
    ['users', { containers: [idle], hostUsers: false }],
    ['root', { containers: [{ ...idle, ...nonRoot }] }],
    ['absent', { containers: [shell('', { command: ['nosuchcommand'] })] }],
    [
      'profile',
      {
        containers: [
          {
            ...idle,
            securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'no.json' } },
          },
        ],
      },
    ],
  );
  const rejected: [string, string, RegExp][] = [
    [
      'sysctl',
      'SysctlForbidden',
      /^Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted$/,
    ],
    [
      'big',
      'OutOfcpu',
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 900000, used: \d+, capacity: \d+$/,
    ],
    ['picky', 'NodeAffinity', /node\(s\) didn't match Pod's node affinity\/selector$/],
  ];
  for (const [name, reason, message] of rejected) {
    const { status } = await until(name, 'rejection', hasPhase('Failed'));
    assert.equal(status?.reason, reason);
    assert.match(status?.message ?? '', message);
    assert.ok(status?.startTime !== undefined);
  }
  const waiting: [string, string, RegExp][] = [
    [
      'root',
      'CreateContainerConfigError',
      /^container has runAsNonRoot and image will run as root \(pod: "root_default\(/,
    ],
    [
      'profile',
      'CreateContainerError',
      /cannot load seccomp profile "\/var\/lib\/kubelet\/seccomp\/no.json"/,
    ],
  ];
  for (const [name, reason, message] of waiting) {
    const isThere = ({ status }: Pod): boolean =>
      message.test(status?.containerStatuses?.[0]?.state?.waiting?.message ?? '');
    const pod = await until(name, reason, isThere);
    assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.reason, reason);
  }
  const absent = await until(
    'absent',
    'a failed start',
    ({ status }) => status?.containerStatuses?.[0]?.lastState?.terminated !== undefined,
  );
  const start = absent.status?.containerStatuses?.[0]?.lastState?.terminated;
  assert.deepEqual([start?.reason, start?.exitCode], ['StartError', 128]);
  assert.match(start?.message ?? '', /"nosuchcommand": executable file not found/);
  await until('allowed', 'running', hasPhase('Running'));
  const value = await kubectl('exec allowed -- cat /proc/sys/net/core/somaxconn');
  assert.equal(value.trim(), '99');
  const text = 'FailedCreatePodSandBox: Failed to create pod sandbox: ';
  await waitFor('an event about users', async () =>
    (await events('users')).some((one) =>
      one.startsWith(`${text}can't set \`spec.hostUsers: false\``),
    ),
  );
});

test('debugging containers join a pod, copies and nodes are opened', { skip }, async () => {
  await create(['target', { containers: [idle] }]);
  await until('target', 'running', hasPhase('Running'));
  await kubectl(`debug target --image=${image} --target=c -c probe -- ps`);
  const pod = await until('target', 'the end of the debugger', ({ status }) =>
    (status?.ephemeralContainerStatuses ?? []).some(({ state }) => state?.terminated !== undefined),
  );
  assert.equal(pod.status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
  assert.match(await kubectl('logs target -c probe'), /sleep 1000/);
  const host = await kubectl(
    `debug node/${node.machine.name} --image=${image} -- ls /host/var/lib/rancher/www`,
  );
  const name = /pod (\S+) with/.exec(host)?.[1] ?? '';
  await until(name, 'success', hasPhase('Succeeded'));
});

test('configuration comes from drop-ins, static pods from a URL', { skip }, async () => {
  const { status } = JSON.parse(await kubectl(`get node ${node.machine.name} -o json`)) as Node;
  assert.equal(status?.capacity?.['pods'], '77');
  const shown = await kubectl(`get --raw /api/v1/nodes/${node.machine.name}/proxy/configz`);
  const { kubeletconfig } = JSON.parse(shown) as { kubeletconfig: Record<string, unknown> };
  assert.equal(kubeletconfig['shutdownGracePeriod'], '6s');
  const manifest = (text: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'PodList',
      items: [
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'far' },
          spec: { terminationGracePeriodSeconds: 1, containers: [shell(text)] },
        },
      ],
    });
  const serve = async (text: string): Promise<void> => {
    await node.machine.sh(
      'cat >/var/lib/rancher/www/next && mv /var/lib/rancher/www/next /var/lib/rancher/www/pods.yaml',
      {
        stdin: manifest(text),
      },
    );
  };
  await serve('sleep 1000');
  await node.machine.sh('busybox httpd -p 127.0.0.1:8099 -h /var/lib/rancher/www');
  const name = `far-${node.machine.name}`;
  await waitFor('the mirror pod', async () => hasPhase('Running')(await get(name)));
  const { uid } = (await get(name)).metadata;
  await serve('sleep 2000');
  await waitFor('another mirror pod', async () => {
    const pod = await get(name);
    return pod.metadata.uid !== uid && hasPhase('Running')(pod);
  });
});

test('a shutdown of the machine ends pods and refuses new ones', { skip }, async () => {
  await create(['last', { containers: [idle] }]);
  await until('last', 'running', hasPhase('Running'));
  const log = await node.log();
  const pid = /send the signal PWR.* pid=(\d+)/.exec(log)?.[1] ?? '';
  await node.machine.sh(`kill -PWR ${pid}`);
  const { status } = await until('last', 'the end', hasPhase('Failed'));
  assert.equal(status?.reason, 'Terminated');
  assert.equal(status?.message, 'Pod was terminated in response to imminent node shutdown.');
  await create(['refused', { containers: [idle] }]);
  const refused = await until('refused', 'rejection', hasPhase('Failed'));
  assert.equal(refused.status?.reason, 'NodeShutdown');
});
