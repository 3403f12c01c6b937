/**
 * Images and files of pods on a real node: volumes from images, variables from files, images of a
 * registry that asks for a password, lifecycle hooks. One node for all; pods name it.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CoreV1EventList, Pod, PodSpec } from '#schema/types.ts';
import { buildImage, fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
const image = 'docker.io/test/busybox:1';
const secretImage = '127.0.0.1:5000/test/secret:1';
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  const files = { 'deep/model': 'seven', 'run.sh': '#!/bin/sh\necho ran\n' };
  const images = await Promise.all([
    fixtures.busybox(),
    buildImage({ name: 'test/one-layer:1', hasBusybox: false, files }),
    buildImage({ name: 'test/two-layers:1', files }),
  ]);
  node = await startNode({ images });
  await startRegistry();
  await node.waitReady();
});
after(async () => await node?.close());

/** On the node's own loopback, where the runtime speaks plain HTTP. */
async function startRegistry(): Promise<void> {
  const log = join(node.lab.directory, 'registry.log');
  const output = openSync(log, 'a');
  const program = join(import.meta.dirname, '../fixtures/registry.ts');
  const archive = await buildImage({ name: secretImage, cmd: ['sh', '-c', 'echo inside'] });
  const args = [program, '5000', '--user', 'me:secret', archive];
  node.machine.spawn(process.execPath, args, { output }).unref();
  closeSync(output);
  await waitFor('the registry', async () => (await readFile(log, 'utf8')).includes('registry on'));
}

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
const ended = (name: string): Promise<Pod> =>
  until(name, 'to succeed', (pod) => pod.status?.phase === 'Succeeded');
const waiting = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting;

async function create(name: string, spec: Partial<PodSpec>): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      nodeName: node.machine.name,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      ...spec,
    },
  };
  await node.apply(JSON.stringify(pod));
}
const shell = (script: string, more: object = {}) => ({
  name: 'c',
  image,
  command: ['sh', '-c', script],
  ...more,
});
async function events(name: string): Promise<string[]> {
  const text = await kubectl(`get events --field-selector involvedObject.name=${name} -o json`);
  const { items } = JSON.parse(text) as CoreV1EventList;
  return items.map(({ reason, message }) => `${reason}: ${message}`);
}
/** Names of the runtime's snapshots for image volumes. */
async function snapshots(): Promise<string> {
  const ctr = 'ctr -a /run/k3s/containerd/containerd.sock -n k8s.io snapshots';
  return await node.machine.sh(
    `(${ctr} --snapshotter overlayfs ls; ${ctr} --snapshotter native ls) 2>/dev/null | grep image-volume || true`,
  );
}

test('volumes show what is in images, read-only, and leave nothing', { skip }, async () => {
  const volumes = ['one-layer', 'two-layers'].map((name) => ({
    name,
    image: { reference: `docker.io/test/${name}:1`, pullPolicy: 'IfNotPresent' },
  }));
  const volumeMounts = [
    { name: 'one-layer', mountPath: '/one' },
    { name: 'two-layers', mountPath: '/two' },
    { name: 'two-layers', mountPath: '/sub', subPath: 'deep' },
  ];
  const script =
    'cat /one/deep/model /two/deep/model /sub/model; ls /two/bin/busybox; touch /one/x /two/x 2>&1';
  await create('image-volume', {
    containers: [shell(`${script}; true`, { volumeMounts })],
    volumes,
  });
  await ended('image-volume');
  const lines = (await kubectl('logs image-volume')).trim().split('\n');
  assert.deepEqual(lines, [
    'sevensevenseven/two/bin/busybox',
    'touch: /one/x: Read-only file system',
    'touch: /two/x: Read-only file system',
  ]);
  await kubectl('delete pod image-volume --now');
  await waitFor('the views to be gone', async () => (await snapshots()) === '');
  assert.equal(
    await node.machine.sh('grep -c kubernetes.io~image /proc/self/mountinfo || true'),
    '0\n',
  );
});

test('a container whose image volume is not there waits for it', { skip }, async () => {
  const reference = '127.0.0.1:5000/test/absent:1';
  const volumes = [{ name: 'v', image: { reference, pullPolicy: 'Never' } }];
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  await create('image-absent', { containers: [shell('true', { volumeMounts })], volumes });
  const pod = await until(
    'image-absent',
    'an error',
    (one) => waiting(one)?.reason === 'ErrImageNeverPull',
  );
  assert.equal(
    waiting(pod)?.message,
    `Container image "${reference}" is not present with pull policy of Never`,
  );
  await kubectl('delete pod image-absent --now');
});

test('variables come from a file that an init container wrote', { skip }, async () => {
  const fileKeyRef = (key: string, optional = false) => ({
    name: key,
    valueFrom: { fileKeyRef: { volumeName: 'conf', path: 'vars.env', key, optional } },
  });
  const write = `printf "A='one'\\nB='two\\nlines'\\n" >/conf/vars.env`;
  await create('env-file', {
    initContainers: [
      shell(write, { name: 'init', volumeMounts: [{ name: 'conf', mountPath: '/conf' }] }),
    ],
    containers: [
      shell('echo "$A $B [$C]"', {
        env: [fileKeyRef('A'), fileKeyRef('B'), fileKeyRef('C', true)],
      }),
    ],
    volumes: [{ name: 'conf', emptyDir: {} }],
  });
  await ended('env-file');
  assert.equal(await kubectl('logs env-file'), 'one two\nlines []\n');
});

test('an image pulled with a secret is not for pods without it', { skip }, async () => {
  await kubectl(
    'create secret docker-registry reg --docker-server=127.0.0.1:5000 --docker-username=me --docker-password=secret',
  );
  const containers = [{ name: 'c', image: secretImage }];
  await create('with-secret', { containers, imagePullSecrets: [{ name: 'reg' }] });
  await ended('with-secret');
  assert.equal(await kubectl('logs with-secret'), 'inside\n');
  await create('without-secret', { containers });
  await create('never', { containers: [{ ...containers[0]!, imagePullPolicy: 'Never' }] });
  await create('again', { containers, imagePullSecrets: [{ name: 'reg' }] });
  await ended('again');
  const present = `Pulled: Container image "${secretImage}" already present on machine and can be accessed by the pod`;
  assert.ok((await events('again')).includes(present));
  const refused = await until('without-secret', 'an error', (pod) =>
    ['ErrImagePull', 'ImagePullBackOff'].includes(waiting(pod)?.reason ?? ''),
  );
  assert.match(waiting(refused)?.message ?? '', /401 Unauthorized|authorization failed/);
  await until('never', 'an error', (pod) => waiting(pod)?.reason === 'ErrImageNeverPull');
  await kubectl('delete pod with-secret without-secret never again --now');
});

test('hooks run before and after, and their failures are told', { skip }, async () => {
  const volumeMounts = [{ name: 'said', mountPath: '/said' }];
  const idle = 'trap "exit 0" TERM; sleep 1000 & wait';
  const say = (word: string) => ({ exec: { command: ['sh', '-c', `echo ${word} >>/said/log`] } });
  const path = '/var/lib/rancher/said';
  await create('hooks', {
    terminationGracePeriodSeconds: 20,
    containers: [
      shell(idle, { volumeMounts, lifecycle: { postStart: say('start'), preStop: say('stop') } }),
    ],
    volumes: [{ name: 'said', hostPath: { path, type: 'DirectoryOrCreate' } }],
  });
  await until('hooks', 'to run', (pod) => pod.status?.phase === 'Running');
  await kubectl('delete pod hooks');
  assert.equal(await node.machine.sh(`cat ${path}/log`), 'start\nstop\n');
  const lifecycle = { postStart: { exec: { command: ['sh', '-c', 'echo no; exit 3'] } } };
  await create('bad-hook', { containers: [shell(idle, { lifecycle })] });
  // The signal may come before the shell has set its trap.
  await until('bad-hook', 'to end', (pod) =>
    ['Failed', 'Succeeded'].includes(pod.status?.phase ?? ''),
  );
  const told = await events('bad-hook');
  assert.ok(told.includes('FailedPostStartHook: PostStartHook failed'), told.join('\n'));
  assert.ok(told.includes('Killing: FailedPostStartHook'));
});
