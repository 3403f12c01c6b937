import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import type { Pod } from '#schema/types.ts';
import { CriError, grpcCodes } from '../../cri/mod.ts';
import type { KubeletView } from '../server-options.ts';
import { checkpointContainer } from './checkpoint-handler.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'k3ts-checkpoints-'));
});
after(() => rm(directory, { recursive: true }));

const pod: Pod = {
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: {
    containers: ['run', 'ended', 'new'].map((name) => ({ name, image: 'i' })),
    initContainers: [{ name: 'init', image: 'i' }],
  },
};

function setUp(failure?: Error) {
  const calls: unknown[][] = [];
  const kubelet: Pick<KubeletView, 'podByName' | 'getContainer'> = {
    podByName: (namespace, name) => (namespace === 'd' && name === 'p' ? pod : undefined),
    getContainer: (_namespace, _pod, name) =>
      name === 'new'
        ? undefined
        : {
            containerId: `id-${name}`,
            sandboxId: 's',
            logPath: '',
            state: name === 'ended' ? 'CONTAINER_EXITED' : 'CONTAINER_RUNNING',
            startedAtMs: 0,
            finishedAtMs: 0,
            exitCode: 0,
          },
  };
  const options = {
    kubelet,
    runtime: {
      async checkpointContainer(...call: unknown[]) {
        calls.push(call);
        if (failure !== undefined) throw failure;
      },
    },
    checkpointDirectory: directory,
    clock: new FakeClock(),
  };
  const ask = (path: string, query = '') =>
    checkpointContainer(options, path.split('/'), new URLSearchParams(query));
  return { ask, calls };
}

test('a container that runs is written to a file whose name is answered', async () => {
  const { ask, calls } = setUp();
  const location = join(directory, 'checkpoint-p_d-run-2026-01-01T00:00:00Z.tar');
  assert.deepEqual(await ask('checkpoint/d/p/run', 'timeout=5&timeout=9'), { items: [location] });
  assert.deepEqual(calls, [['id-run', location, 9]]);
});

test('what is not there or does not run cannot be checkpointed', async () => {
  const { ask } = setUp();
  const table: [path: string, query: string, code: number, message: string][] = [
    ['checkpoint/d/p', '', 404, '404 page not found\n'],
    ['checkpoint/d/other/run', '', 404, 'pod does not exist'],
    ['checkpoint/d/p/other', '', 404, 'container other does not exist'],
    ['checkpoint/d/p/run', 'timeout=soon', 404, 'cannot parse value of timeout parameter'],
    ['checkpoint/d/p/new', '', 500, 'checkpointing of d/p/new failed (container new not found)'],
    [
      'checkpoint/d/p/ended',
      '',
      500,
      'checkpointing of d/p/ended failed (container ended not found)',
    ],
    [
      'checkpoint/d/p/run',
      'timeout=-1',
      500,
      'checkpointing of d/p/run failed (CheckpointContainer requires the timeout value to be > 0)',
    ],
  ];
  for (const [path, query, httpCode, message] of table) {
    await assert.rejects(ask(path, query), { httpCode, message });
  }
});

test('a runtime that cannot do it says so', async () => {
  const details = 'unknown method CheckpointContainer for service runtime.v1.RuntimeService';
  const failure = new CriError({
    rpc: 'CheckpointContainer',
    grpcCode: grpcCodes.unimplemented,
    details,
  });
  const { ask } = setUp(failure);
  await assert.rejects(ask('checkpoint/d/p/run'), {
    httpCode: 500,
    message: `checkpointing of d/p/run failed (rpc error: code = Unimplemented desc = ${details})`,
  });
});
