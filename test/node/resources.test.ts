/**
 * What a real node shares out: usage as kubectl top shows it, sizes that follow it, and pods that
 * go because they take more than they may.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CoreV1EventList, Node, Pod } from '#schema/types.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  node = await startNode({ images: [await fixtures.busybox()] });
  await node.waitReady();
  await node.apply(busyDeployment);
});
after(async () => await node?.close());

const kubectl = (line: string): Promise<string> =>
  node.kubectl(line.split(' '), { timeoutMs: 120_000 });
async function get<T>(what: string): Promise<T> {
  return JSON.parse(await kubectl(`get ${what} -o json`)) as T;
}

/** A pod that always wants a processor and gets a fifth of one. */
const busyDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: busy}
spec:
  selector: {matchLabels: {app: busy}}
  template:
    metadata: {labels: {app: busy}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: burn
          image: docker.io/test/busybox:1
          command: [sh, -c, 'while :; do :; done']
          resources: {requests: {cpu: 50m}, limits: {cpu: 100m}}
        - name: rest
          image: docker.io/test/busybox:1
          command: [sleep, '1000']
          resources: {requests: {cpu: 50m}}
`;

const writer = `
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: scratch, emptyDir: {sizeLimit: 1Mi}}]
  containers:
    - name: main
      image: docker.io/test/busybox:1
      command: [sh, -c, 'dd if=/dev/zero of=/scratch/file bs=1M count=5; sleep 1000']
      volumeMounts: [{name: scratch, mountPath: /scratch}]
---
apiVersion: v1
kind: Pod
metadata: {name: layer}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: docker.io/test/busybox:1
      command: [sh, -c, 'dd if=/dev/zero of=/file bs=1M count=5; sleep 1000']
      resources: {limits: {ephemeral-storage: 2Mi}}
`;

test(
  'kubectl top shows nodes, pods and containers without a pod of its own',
  { skip },
  async () => {
    await node.apply(writer);
    await waitFor('usage', async () => {
      const { stdout } = await topPods();
      return stdout.includes('burn');
    });
    const rows = (await topPods()).stdout.trim().split('\n').slice(1);
    const burn = rows.map((row) => row.split(/\s+/)).find(([, name]) => name === 'burn');
    const milli = Number.parseInt(burn?.[2] ?? '', 10);
    assert.ok(milli >= 40 && milli <= 140, `a tenth of a core, not ${burn?.[2]}`);
    assert.match(await kubectl('top nodes'), /node-1\s+\d+m\s+\d+%\s+\d+Mi/);
    assert.match(await kubectl('get apiservice v1beta1.metrics.k8s.io'), /Local\s+True/);
  },
);

async function topPods(): Promise<{ stdout: string }> {
  return await kubectl('top pods -l app=busy --containers').then(
    (stdout) => ({ stdout }),
    () => ({ stdout: '' }),
  );
}

test('pods beyond their limits of storage are evicted', { skip }, async () => {
  const evicted = async (name: string): Promise<Pod> => {
    await kubectl(`wait --for=jsonpath={.status.phase}=Failed pod/${name} --timeout=100s`);
    return await get<Pod>(`pod ${name}`);
  };
  const { status } = await evicted('writer');
  assert.equal(status?.reason, 'Evicted');
  assert.equal(status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ');
  assert.match(
    (await evicted('layer')).status?.message ?? '',
    /^Pod ephemeral local storage usage exceeds the total limit of containers 2Mi\. $/,
  );
  const selector = '--field-selector involvedObject.name=writer,reason=Evicted';
  const { items } = await get<CoreV1EventList>(`events ${selector}`);
  assert.equal(items[0]?.type, 'Warning');
});

test('an autoscaler grows what is busy', { skip }, async () => {
  await kubectl('autoscale deployment busy --cpu-percent=50 --min=1 --max=2');
  await kubectl('wait --for=jsonpath={.spec.replicas}=2 deployment/busy --timeout=100s');
  assert.match(await kubectl('get hpa busy'), /cpu: \d+%\/50%\s+1\s+2/);
});

const lampPod = (name: string, count: number): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  containers:
    - name: main
      image: docker.io/test/busybox:1
      command: [sh, -c, 'echo $DEVICES; for id in $(echo $DEVICES | tr , " "); do test -c /dev/$id || exit 3; done; sleep 1000']
      resources: {limits: {acme.test/lamp: '${count}'}}
`;

test('devices of a plugin are counted, given out and given back', { skip }, async () => {
  const file = join(import.meta.dirname, '../fixtures/device-plugin.ts');
  const output = openSync(join(node.lab.directory, 'plugin.log'), 'a');
  const directory = '/var/lib/kubelet/device-plugins';
  const args = [file, directory, 'acme.test/lamp', 'lamp0', 'lamp1'];
  node.machine.spawn(process.execPath, args, { output });
  closeSync(output);
  await waitFor('the lamps', async () => {
    const { status } = await get<Node>('node node-1');
    return status?.allocatable?.['acme.test/lamp'] === '2';
  });
  await node.apply(lampPod('first', 1));
  await kubectl('wait --for=condition=Ready pod/first --timeout=100s');
  await waitFor('its line', async () => (await kubectl('logs first')).includes('lamp0'));
  await node.apply(lampPod('both', 2));
  await waitFor('a refusal', async () => {
    const { status } = await get<Pod>('pod both');
    return (status?.conditions?.[0]?.message ?? '').includes('Insufficient acme.test/lamp');
  });
  await kubectl('delete pod first');
  await kubectl('wait --for=condition=Ready pod/both --timeout=100s');
  await waitFor('its line', async () => (await kubectl('logs both')).includes('lamp0,lamp1'));
});
