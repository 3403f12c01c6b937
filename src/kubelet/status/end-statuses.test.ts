import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerState, ContainerStatus, Pod } from '#schema/types.ts';
import { endStatuses } from './end-statuses.ts';

const waiting: ContainerState = { waiting: { reason: 'ImagePullBackOff' } };
const running: ContainerState = { running: {} };
const done: ContainerState = { terminated: { exitCode: 0 } };

function ended(init: ContainerState[], regular: ContainerState[]): (number | undefined)[] {
  const status = (name: string, state: ContainerState): ContainerStatus => ({
    name,
    state,
    lastState: {},
    ready: false,
    restartCount: 0,
    image: '',
    imageID: '',
  });
  const pod: Pod = {
    metadata: { name: 'p' },
    spec: {
      initContainers: init.map((_, index) => ({ name: `i${index}` })),
      containers: regular.map((_, index) => ({ name: `c${index}` })),
    },
  };
  const statuses = {
    init: init.map((state, index) => status(`i${index}`, state)),
    containers: regular.map((state, index) => status(`c${index}`, state)),
    ephemeral: [],
  };
  endStatuses(pod, statuses);
  return [...statuses.init, ...statuses.containers].map(({ state }) => state?.terminated?.exitCode);
}

test('containers whose end nobody saw count as failed once the pod was initialized', () => {
  const table: [ContainerState[], ContainerState[], (number | undefined)[]][] = [
    [[], [waiting], [137]],
    [[], [running, done], [137, 0]],
    [[done], [waiting], [0, 137]],
    // The second init container never had its turn, nor had the regular one.
    [[running, waiting], [waiting], [137, undefined, undefined]],
    [[waiting, waiting], [waiting], [137, undefined, undefined]],
    [[waiting, done], [waiting], [137, 0, undefined]],
  ];
  for (const [init, regular, expected] of table) assert.deepEqual(ended(init, regular), expected);
});
