import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { startFakeKubelet } from '../fake-kubelet.ts';
import { createStaticPodSource } from './static-pods.ts';

const manifest = (image: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 5
  containers: [{ name: c, image: "${image}", imagePullPolicy: IfNotPresent }]
  volumes: [{ name: v, downwardAPI: { defaultMode: 0400 } }]
`;

async function started(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-static-'));
  const file = join(directory, 'web.yaml');
  await writeFile(file, manifest('test:1'));
  const kubelet = await startFakeKubelet({ config: { staticPodPath: directory } });
  context.after(async () => {
    await kubelet.close();
    await rm(directory, { recursive: true });
  });
  const mirror = () => kubelet.client.stored<Pod>(resources.pods, 'default/web-node-1');
  await kubelet.until('running', () => mirror()?.status?.phase === 'Running');
  return { ...kubelet, file, mirror };
}

test('a changed manifest starts its pod when nothing of the old one is left', async (context) => {
  const { cri, file, mirror, pass, until } = await started(context);
  cri.addImage('test:2');
  const gone = Promise.withResolvers<void>();
  cri.onStop = () => gone.promise;
  cri.calls.length = 0;
  await writeFile(file, manifest('test:2'));
  await pass(25_000, 1_000);
  await until('the stop', () => cri.calls.includes('StopContainer c 5s'));
  assert.equal(cri.calls.includes('RunPodSandbox web-node-1'), false);
  gone.resolve();
  await until('the new one', () => cri.calls.includes('StartContainer c'));
  const order = cri.calls.filter((call) => /PodSandbox/.test(call));
  assert.deepEqual(order, [
    'StopPodSandbox web-node-1',
    'RemovePodSandbox web-node-1',
    'RunPodSandbox web-node-1',
  ]);
  await until('its mirror', () => mirror()?.spec?.containers[0]?.image === 'test:2');
});

test('manifests are read as the API reads YAML: modes are octal', async (context) => {
  const { mirror } = await started(context);
  assert.equal(mirror()?.spec?.volumes?.[0]?.downwardAPI?.defaultMode, 0o400);
});

test('a removed manifest ends its pod and takes the mirror away', async (context) => {
  const { cri, file, mirror, pass, until } = await started(context);
  await rm(file);
  await pass(25_000, 1_000);
  await until('the end', () => cri.sandboxes.size === 0);
  await until('no mirror', () => mirror() === undefined);
});

test('a mirror that is deleted comes back, and its pod goes on', async (context) => {
  const { client, cri, mirror, until } = await started(context);
  const uid = mirror()?.metadata.uid;
  await client.delete(resources.pods, 'web-node-1', {
    namespace: 'default',
    gracePeriodSeconds: 0,
  });
  await until('another mirror', () => {
    const now = mirror()?.metadata.uid;
    return now !== undefined && now !== uid;
  });
  await until('its status', () => mirror()?.status?.phase === 'Running');
  assert.equal(
    cri.calls.some((call) => call.startsWith('Stop')),
    false,
  );
});

test('of two pods with the same name the first one runs, and an event tells of the other', async (context) => {
  const { file, cri, pass, until, events } = await started(context);
  await writeFile(`${file}.again.yaml`, manifest('test:1'));
  await pass(25_000, 1_000);
  await until('the event', () =>
    events().some((text) =>
      /^FailedValidation: Error validating pod web-node-1_default\([0-9a-f]{32}\) from file due to duplicate pod name "web-node-1", ignoring$/.test(
        text,
      ),
    ),
  );
  assert.equal(cri.sandboxes.size, 1);
});

test('a mirror that could not be made is tried again', async (context) => {
  const { client, mirror, pass, until } = await started(context);
  let refusals = 0;
  client.intercept(({ verb, resource }) => {
    if (verb !== 'create' || resource !== 'pods' || refusals > 0) return undefined;
    refusals += 1;
    return new Error('namespaces "default" not found');
  });
  await client.delete(resources.pods, 'web-node-1', {
    namespace: 'default',
    gracePeriodSeconds: 0,
  });
  await until('the refusal', () => refusals === 1);
  assert.equal(mirror(), undefined);
  await pass(90_000, 5_000);
  await until('the mirror', () => mirror() !== undefined);
});

test('a single file may hold the only static pod', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-static-'));
  const file = join(directory, 'web.yaml');
  await writeFile(file, manifest('test:1'));
  const kubelet = await startFakeKubelet({ config: { staticPodPath: file } });
  context.after(async () => {
    await kubelet.close();
    await rm(directory, { recursive: true });
  });
  await kubelet.until('running', () => kubelet.phase('web-node-1') === 'Running');
});

test('what cannot be used is in the log, once', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-static-'));
  context.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'sub'));
  await writeFile(join(directory, 'no.yaml'), 'apiVersion: v1\nkind: Nothing\n');
  await writeFile(join(directory, '.hidden.yaml'), 'nothing');
  await writeFile(join(directory, 'web.yaml'), manifest('test:1'));
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = createLogger({
    level: 'info',
    now: () => 0,
    write: (line) => void lines.push(line.replace(/^time=\S+ /, '').trimEnd()),
  });
  const reads: string[][] = [];
  const source = createStaticPodSource({
    path: directory,
    rereadMs: 20_000,
    nodeName: 'node-1',
    clock,
    log,
    onPods: (pods) => void reads.push(pods.map(({ metadata }) => metadata.name)),
  });
  const stopping = new AbortController();
  const running = source.run(stopping.signal);
  await eventually('the pods', () => reads.length === 1);
  await eventually('the wait', () => clock.pendingTimers > 0);
  await rm(join(directory, 'web.yaml'));
  await clock.advance(20_000);
  await eventually('no pods', () => reads.length === 2);
  stopping.abort();
  await running;
  assert.deepEqual(reads, [['web-node-1'], []]);
  assert.deepEqual(lines, [
    `level=error msg="Could not process manifest file" path=${directory}/no.yaml error=${JSON.stringify(
      `${directory}/no.yaml: couldn't parse as pod(no kind "Nothing" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"), please check config file`,
    )}`,
    `level=error msg="Provided manifest path is a directory, not recursing into manifest path" path=${directory}/sub`,
  ]);
});
