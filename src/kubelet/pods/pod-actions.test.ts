import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import type { Container, Pod } from '#schema/types.ts';
import { containerHash } from '../containers/spec-hash.ts';
import type { ProbeKind, ProbeResult } from '../probes/results.ts';
import { createKeyedBackOff } from './crash-back-off.ts';
import { runtimeAnnotations } from './names.ts';
import { computePodActions } from './pod-actions.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts';

type State = 'running' | 'created' | 'unknown' | number;

const states = {
  running: 'CONTAINER_RUNNING',
  created: 'CONTAINER_CREATED',
  unknown: 'CONTAINER_UNKNOWN',
} as const;

function inRuntime(container: Container, state: State, sandboxId = 's'): RuntimeContainer {
  return {
    id: `id-${container.name}`,
    sandboxId,
    metadata: { name: container.name, attempt: 0 },
    state: typeof state === 'number' ? 'CONTAINER_EXITED' : states[state],
    exitCode: typeof state === 'number' ? state : 0,
    createdAt: 1,
    startedAt: 1,
    finishedAt: 1,
    imageRef: '',
    imageId: '',
    reason: '',
    message: '',
    labels: {},
    annotations: { [runtimeAnnotations.hash]: containerHash(container) },
    mounts: [],
    logPath: '',
  };
}

interface Case {
  policy?: string;
  containers?: Container[];
  init?: Container[];
  runtime: Record<string, State>;
  sandbox?: 'ready' | 'dead' | 'none';
  probes?: Record<string, ProbeResult>;
}

function actionsOf(of: Case) {
  const { policy = 'Always', containers = [{ name: 'c', image: 'i' }], init = [] } = of;
  const pod: Pod = {
    metadata: { name: 'p', uid: 'u' },
    spec: { restartPolicy: policy, containers, initContainers: init },
  };
  const isReady = (of.sandbox ?? 'ready') === 'ready';
  const sandbox = {
    id: 's',
    metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 },
    state: isReady ? ('SANDBOX_READY' as const) : ('SANDBOX_NOTREADY' as const),
    createdAt: 1,
    labels: {},
    annotations: {},
    runtimeHandler: '',
    network: { ip: '10.42.0.2', additionalIps: [] },
  };
  const runtimePod: RuntimePod = {
    uid: 'u',
    name: 'p',
    namespace: 'n',
    sandboxes: of.sandbox === 'none' ? [] : [sandbox],
    containers: [...init, ...containers].flatMap((container) => {
      const state = of.runtime[container.name];
      return state === undefined ? [] : [inRuntime(container, state)];
    }),
  };
  const probes = {
    get: (kind: ProbeKind, id: string) => of.probes?.[`${kind} ${id}`],
  };
  const actions = computePodActions({ pod, runtimePod, probes });
  const names = (list: readonly { name: string }[]): string =>
    list.map(({ name }) => name).join(' ');
  return [
    actions.killPod ? 'kill' : '',
    actions.createSandbox ? `sandbox ${actions.attempt}` : '',
    actions.toKill.map(({ message }) => message).join('; '),
    names(actions.initToStart),
    names(actions.toStart),
  ]
    .filter((part) => part !== '')
    .join(' | ');
}

const two = [
  { name: 'a', image: 'i' },
  { name: 'b', image: 'i' },
];
const side: Container = { name: 'side', image: 'i', restartPolicy: 'Always' };
const init: Container = { name: 'init', image: 'i' };

test('a sync plans what upstream plans', () => {
  const table: [string, Case, string][] = [
    ['new pod', { runtime: {}, sandbox: 'none' }, 'kill | sandbox 0 | c'],
    [
      'new pod with init',
      { runtime: {}, init: [init], sandbox: 'none' },
      'kill | sandbox 0 | init',
    ],
    ['all is well', { runtime: { c: 'running' } }, ''],
    ['crashed', { runtime: { c: 1 } }, 'c'],
    ['done, OnFailure', { policy: 'OnFailure', runtime: { c: 0 } }, 'kill'],
    ['failed, Never', { policy: 'Never', runtime: { c: 1 } }, 'kill'],
    ['one of two done', { policy: 'Never', containers: two, runtime: { a: 0, b: 'running' } }, ''],
    ['dead sandbox', { runtime: { c: 137 }, sandbox: 'dead' }, 'kill | sandbox 1 | c'],
    ['dead sandbox, Never', { policy: 'Never', runtime: { c: 137 }, sandbox: 'dead' }, 'kill'],
    ['dead sandbox, all done', { policy: 'OnFailure', runtime: { c: 0 }, sandbox: 'dead' }, 'kill'],
    ['init runs', { init: [init], runtime: { init: 'running' } }, ''],
    ['init done', { init: [init], runtime: { init: 0 } }, 'c'],
    ['init failed', { init: [init], runtime: { init: 1 } }, 'init'],
    ['init failed, Never', { policy: 'Never', init: [init], runtime: { init: 1 } }, 'kill'],
    ['sidecar first', { init: [side, init], runtime: {} }, 'side'],
    ['after the sidecar', { init: [side, init], runtime: { side: 'running' } }, 'init'],
    [
      'sidecar died later',
      { init: [side, init], runtime: { side: 1, init: 0, c: 'running' } },
      'side',
    ],
    ['lost init of a running pod', { init: [init], runtime: { c: 'running' } }, ''],
    [
      'liveness',
      { runtime: { c: 'running' }, probes: { 'liveness id-c': 'Failure' } },
      'Container c failed liveness probe, will be restarted | c',
    ],
    [
      'startup, Never',
      { policy: 'Never', runtime: { c: 'running' }, probes: { 'startup id-c': 'Failure' } },
      'kill | Container c failed startup probe',
    ],
    [
      'unknown',
      { runtime: { c: 'unknown' } },
      'Container is in "unknown" state, try killing it before restart | c',
    ],
    ['created, never started', { runtime: { c: 'created' } }, 'c'],
  ];
  for (const [name, of, expected] of table) assert.equal(actionsOf(of), expected, name);
});

test('back-off doubles to its cap, counts from the end of the last run and forgets good ones', async () => {
  const clock = new FakeClock();
  const backOff = createKeyedBackOff({ clock });
  const seconds: number[] = [];
  for (let count = 0; count < 7; count++) {
    const endedMs = clock.now();
    const waitMs = backOff.remainingMs('k', endedMs);
    seconds.push(waitMs / 1000);
    await clock.advance(waitMs);
    backOff.next('k', endedMs);
  }
  assert.deepEqual(seconds, [0, 10, 20, 40, 80, 160, 300]);
  await clock.advance(590_000);
  assert.equal(backOff.remainingMs('k', clock.now()), 300_000);
  await clock.advance(20_000);
  assert.equal(backOff.remainingMs('k', clock.now()), 0);
  assert.equal(backOff.remainingMs('other', clock.now()), 0);
});
