import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import type { Container, CriClient, Image } from '#kubelet/cri/mod.ts';
import type { FlagValue } from '../flags/flag.ts';
import { pullImage, removeImages } from './image-commands.ts';
import { removeContainers, stopContainers } from './life-commands.ts';
import { listStats } from './list-commands.ts';
import { printLogs } from './logs-command.ts';

interface Runtime {
  images?: Image[];
  containers?: Container[];
  logPath?: string;
  calls: string[];
}

const image = (id: string, tag?: string, more: Partial<Image> = {}): Image => ({
  id: `sha256:${id}`,
  repoTags: tag === undefined ? [] : [tag],
  repoDigests: [],
  size: 1,
  username: '',
  pinned: false,
  ...more,
});

const container = (id: string, name: string, state: Container['state'], ref = ''): Container => ({
  id,
  podSandboxId: 'pod',
  metadata: { name, attempt: 0 },
  image: { image: ref },
  imageRef: ref,
  state,
  createdAt: 0,
  labels: {},
  annotations: {},
});

/** The calls of the runtime that these commands make; each change is noted in `calls`. */
function fakeCri({ images = [], containers = [], logPath = '', calls }: Runtime): CriClient {
  const note = (text: string): Promise<void> => {
    calls.push(text);
    return Promise.resolve();
  };
  const fake = {
    runtime: {
      listContainers: () => Promise.resolve(containers),
      status: () => Promise.resolve({ info: { config: '{"sandboxImage":"sandbox:1"}' } }),
      containerStatus: (id: string) =>
        Promise.resolve({ logPath, state: containers.find((one) => one.id === id)?.state }),
      stopContainer: (id: string, timeout: number) => note(`stop ${id} ${timeout}`),
      removeContainer: (id: string) => note(`rm ${id}`),
    },
    images: {
      listImages: () => Promise.resolve(images),
      imageStatus: ({ image: name }: { image: string }) =>
        Promise.resolve(images.find((one) => one.id === name || one.repoTags.includes(name))),
      pullImage: async ({ image: name }: { image: string }, { auth }: { auth?: object }) => {
        await note(`pull ${name} ${JSON.stringify(auth ?? {})}`);
        return 'sha256:abc';
      },
      removeImage: ({ image: id }: { image: string }) => note(`rmi ${id}`),
    },
  };
  return fake as unknown as CriClient;
}

function call(
  runtime: Runtime,
  args: string[],
  flags: Record<string, FlagValue> = {},
): Parameters<typeof removeImages>[0] & { said: string[] } {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const values = new Map(Object.entries(flags));
  return { cri: fakeCri(runtime), args, values, stdout: say, stderr: say, said };
}

test('pull hands credentials on and prints the reference', async () => {
  const calls: string[] = [];
  const plain = call({ calls }, ['web:1']);
  assert.equal(await pullImage(plain), 0);
  assert.deepEqual(plain.said, ['Image is up to date for sha256:abc\n']);
  await pullImage(call({ calls }, ['r/web:1'], { creds: 'me:a:b' }));
  assert.deepEqual(calls, ['pull web:1 {}', 'pull r/web:1 {"username":"me","password":"a:b"}']);
  await assert.rejects(pullImage(call({ calls }, [])), { code: 'Usage', message: /^usage: / });
});

test('rmi takes names and beginnings of IDs and goes on after an unknown one', async () => {
  const calls: string[] = [];
  const images = [image('aa11', 'web:1'), image('ab22'), image('cc33', 'keep:1')];
  const one = call({ images, calls }, ['web:1', 'nope', 'ab']);
  assert.equal(await removeImages(one), 1);
  assert.deepEqual(calls, ['rmi sha256:aa11', 'rmi sha256:ab22']);
  assert.deepEqual(one.said, [
    'k3ts: no image with ID or name "nope"\n',
    'Deleted: web:1\n',
    'Deleted: sha256:ab22\n',
  ]);
  await assert.rejects(removeImages(call({ images, calls }, ['a'])), { message: /fits 2 images/ });
});

test('rmi --prune leaves images that containers and pods use, and pinned ones', async () => {
  const calls: string[] = [];
  const images = [
    image('aa11', 'web:1'),
    image('bb22', 'old:1'),
    image('dd44', 'pinned:1', { pinned: true }),
    image('ee55', 'sandbox:1'),
  ];
  const containers = [container('c1', 'web', 'CONTAINER_EXITED', 'sha256:aa11')];
  await removeImages(call({ images, containers, calls }, [], { prune: true }));
  assert.deepEqual(calls, ['rmi sha256:bb22']);
});

test('rm refuses a running container unless forced', async () => {
  const calls: string[] = [];
  const containers = [
    container('c1', 'web', 'CONTAINER_RUNNING'),
    container('d2', 'old', 'CONTAINER_EXITED'),
  ];
  const runtime = { containers, calls };
  await assert.rejects(removeContainers(call(runtime, ['web'])), { message: /stop it first$/ });
  await removeContainers(call(runtime, ['web'], { force: true }));
  await removeContainers(call(runtime, ['d2']));
  await stopContainers(call(runtime, ['c1'], { timeout: 5 }));
  assert.deepEqual(calls, ['stop c1 0', 'rm c1', 'rm d2', 'stop c1 5']);
});

test('stats shows running containers, all of them when asked', async () => {
  const containers = [
    container('c1', 'web', 'CONTAINER_RUNNING'),
    container('d2', 'old', 'CONTAINER_EXITED'),
  ];
  const listContainerStats = (): Promise<object[]> =>
    Promise.resolve(
      containers.map(({ id, metadata }) => ({
        attributes: { id, metadata },
        memory: { workingSetBytes: { value: 1500 } },
      })),
    );
  const { runtime } = fakeCri({ containers, calls: [] });
  const cri = { runtime: { ...runtime, listContainerStats } } as unknown as CriClient;
  const shown = async (isAll: boolean): Promise<string> =>
    await listStats({ cri, values: new Map([['all', isAll]]), nowMs: 0 }, () => Promise.resolve());
  const [header, row, ...more] = (await shown(false)).trimEnd().split('\n');
  assert.match(header ?? '', /^CONTAINER +NAME +CPU % +MEM +DISK +INODES$/);
  assert.match(row ?? '', /^c1 +web +0\.00 +1\.5kB +0B +0$/);
  assert.deepEqual(more, []);
  assert.match(await shown(true), /^d2 +old /m);
});

test('logs -f goes on until the container ends', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-crictl-'));
  try {
    const logPath = join(directory, '0.log');
    const record = (text: string): string => `2026-05-01T12:00:00.0Z stdout F ${text}\n`;
    await writeFile(logPath, record('one') + record('two'));
    const running = container('c1', 'web', 'CONTAINER_RUNNING');
    const containers = [running];
    let output = '';
    const seen = Promise.withResolvers<void>();
    const printing = printLogs({
      cri: fakeCri({ containers, logPath, calls: [] }),
      wanted: 'web',
      values: new Map<string, FlagValue>([
        ['follow', true],
        ['tail', 1],
      ]),
      output: new Writable({
        write(chunk: Buffer, _encoding, done) {
          output += chunk.toString();
          seen.resolve();
          done();
        },
      }),
      clock: systemClock,
      signal: new AbortController().signal,
    });
    await seen.promise;
    assert.equal(output, 'two\n');
    await appendFile(logPath, record('three'));
    containers[0] = { ...running, state: 'CONTAINER_EXITED' };
    assert.equal(await printing, 0);
    assert.equal(output, 'two\nthree\n');
  } finally {
    await rm(directory, { recursive: true });
  }
});
