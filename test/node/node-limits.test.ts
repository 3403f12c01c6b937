/**
 * What the kubelet's configuration does to the machine: processors and memory that a container has
 * for itself, and the limits of the cgroups that pods are in.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseCpuSet } from '#kubelet/cpus/mod.ts';
import type { CoreV1EventList } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  node = await startNode({
    images: [await fixtures.busybox()],
    args: [
      '--kubelet-arg=cpu-manager-policy=static',
      '--kubelet-arg=kube-reserved=cpu=200m,memory=100Mi,pid=1000',
      '--kubelet-arg=topology-manager-policy=single-numa-node',
      '--kubelet-arg=memory-manager-policy=Static',
      '--kubelet-arg=reserved-memory=0:memory=100Mi',
      '--kubelet-arg=pod-max-pids=321',
      '--kubelet-arg=cpu-cfs-quota-period=50ms',
    ],
  });
  await node.waitReady();
});
after(async () => await node?.close());

const kubectl = (line: string): Promise<string> =>
  node.kubectl(line.split(' '), { timeoutMs: 120_000 });

const pod = (name: string, limits: string, requests = limits): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: docker.io/test/busybox:1
      command: [sleep, '1000']
      resources: {limits: {${limits}}, requests: {${requests}}}
`;

/** Processors of a pod's container, in the kernel's form. */
async function allowedCpus(name: string): Promise<string> {
  const status = await kubectl(`exec ${name} -- cat /proc/self/status`);
  return /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '';
}

/** A file of the kubepods tree, whichever the version of cgroups is. */
async function cgroupFile(path: string): Promise<string> {
  const script = `cat $(find /sys/fs/cgroup -path '*/kubepods/${path}' | head -n 1)`;
  return (await node.run('sh', ['-c', script])).stdout.trim();
}

test('a container has processors for itself, also after a restart', { skip }, async () => {
  await node.apply(pod('shared', 'memory: 32Mi', 'cpu: 10m, memory: 32Mi'));
  await kubectl('wait --for=condition=Ready pod/shared --timeout=100s');
  const all = await allowedCpus('shared');
  await node.apply(pod('own', 'cpu: 1, memory: 32Mi'));
  await kubectl('wait --for=condition=Ready pod/own --timeout=100s');
  const own = await allowedCpus('own');
  assert.match(own, /^[1-9]\d*$/);
  const memory = await node.run('cat', ['/var/lib/kubelet/memory_manager_state']);
  assert.match(
    memory.stdout,
    /"main":\[\{"numaAffinity":\[0\],"type":"memory","size":33554432\}\]/,
  );
  const mems = await kubectl('exec own -- cat /proc/self/status');
  assert.match(mems, /^Mems_allowed_list:\s+0$/m);
  await waitFor(
    'the other one to leave',
    async () => {
      const rest = await allowedCpus('shared');
      return rest !== all && !parseCpuSet(rest).has(Number(own));
    },
    60_000,
  );
  const state = '/var/lib/kubelet/cpu_manager_state';
  const { stdout } = await node.run('cat', [state]);
  assert.match(stdout, new RegExp(`"policyName":"static".*"main":"${own}".*"checksum":\\d+`));
  await node.restart();
  // The Node says Ready from before; the kubelet answers when it is back.
  await waitFor('the kubelet', async () => (await allowedCpus('own')) === own, 90_000);
  await kubectl('delete pod own');
  await waitFor(
    'the processors to come back',
    async () => (await allowedCpus('shared')) === all,
    60_000,
  );
});

test('pods have limits of their own, and all pods together, too', { skip }, async () => {
  await node.apply(pod('small', 'cpu: 200m, memory: 32Mi'));
  await kubectl('wait --for=condition=Ready pod/small --timeout=100s');
  const uid = await kubectl('get pod small -o jsonpath={.metadata.uid}');
  assert.equal(await cgroupFile(`pod${uid}/pids.max`), '321');
  const quota = await cgroupFile(`pod${uid}/cpu.cfs_quota_us`).catch(() => '');
  const limit = quota === '' ? await cgroupFile(`pod${uid}/cpu.max`) : `${quota} 50000`;
  assert.equal(limit, '10000 50000');
  const maxPid = Number((await node.run('cat', ['/proc/sys/kernel/pid_max'])).stdout);
  assert.equal(Number(await cgroupFile('pids.max')), maxPid - 1000);
  const selector = 'involvedObject.kind=Node,reason=NodeAllocatableEnforced';
  const text = await kubectl(`get events -A -o json --field-selector ${selector}`);
  const { items } = JSON.parse(text) as CoreV1EventList;
  assert.equal(items[0]?.message, 'Updated Node Allocatable limit across pods');
});
