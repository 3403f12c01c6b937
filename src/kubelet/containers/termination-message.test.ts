import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus } from '../cri/mod.ts';
import { runtimeAnnotations } from '../pods/names.ts';
import { shownMessage, terminationMessage } from './termination-message.ts';

function ended(more: Partial<ContainerStatus> & { policy?: string } = {}): ContainerStatus {
  return {
    id: 'id',
    metadata: { name: 'c', attempt: 0 },
    state: 'CONTAINER_EXITED',
    createdAt: 1,
    startedAt: 1,
    finishedAt: 1,
    exitCode: 1,
    imageRef: '',
    imageId: '',
    reason: 'Error',
    message: '',
    labels: {},
    annotations: {
      [runtimeAnnotations.terminationMessagePath]: '/dev/termination-log',
      [runtimeAnnotations.terminationMessagePolicy]: more.policy ?? 'FallbackToLogsOnError',
    },
    mounts: [{ containerPath: '/dev/termination-log', hostPath: '/message' }],
    logPath: '/log',
    ...more,
  };
}

const log = ['stdout F one', 'stderr P tw', 'stderr F o'].map(
  (line) => `2026-01-01T00:00:00Z ${line}`,
);

async function messageOf(status: ContainerStatus, files: Record<string, string>) {
  const hostFiles = { readTail: async (path: string) => files[path] };
  return await terminationMessage(status, { hostFiles });
}

test('what a container ends with is its message, else its last output where it asks for that', async () => {
  const files = { '/message': '', '/log': `${log.join('\n')}\n` };
  assert.equal(await messageOf(ended(), { ...files, '/message': 'said' }), 'said');
  assert.equal(await messageOf(ended(), files), 'one\ntwo\n');
  assert.equal(await messageOf(ended(), { '/log': files['/log'] }), 'one\ntwo\n');
  assert.equal(await messageOf(ended({ policy: 'File' }), files), '');
  assert.equal(await messageOf(ended({ exitCode: 0 }), files), '');
  assert.equal(await messageOf(ended({ reason: 'ContainerCannotRun' }), files), '');
});

test('a file that cannot be read is the message', async () => {
  const hostFiles = { readTail: () => Promise.reject(new Error('no access')) };
  const message = await terminationMessage(ended(), { hostFiles });
  assert.equal(message, 'Error on reading termination log /message: no access');
});

test('messages of all containers of a pod share 12 KiB, each from its beginning', () => {
  const containers = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
  const pod = { metadata: { name: 'p' }, spec: { containers, initContainers: [{ name: 'i' }] } };
  const own = 'x'.repeat(3000);
  assert.equal(shownMessage(pod, 'first', own).length, Math.floor(12_288 / 5));
  assert.match(shownMessage(pod, 'first', own), /^first: xxx/);
  assert.equal(shownMessage(pod, '', 'own'), 'own');
  assert.equal(shownMessage(pod, 'first', ''), 'first');
});
