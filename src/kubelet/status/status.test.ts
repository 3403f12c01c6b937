import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, ContainerState, ContainerStatus, Pod } from '#schema/types.ts';
import { podConditions } from './conditions.ts';
import { podPhase } from './phase.ts';

const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });

function status(name: string, state: ContainerState, more: Partial<ContainerStatus> = {}) {
  return { name, state, ready: false, restartCount: 0, image: '', imageID: '', ...more };
}

function phaseOf(
  policy: string,
  states: ContainerState[],
  options: { isTerminal?: boolean; lastState?: ContainerState } = {},
): string {
  const containers = states.map((_, index): Container => ({ name: `c${index}` }));
  const lastState = options.lastState ?? {};
  return podPhase({
    pod: { metadata: { name: 'p' }, spec: { restartPolicy: policy, containers } },
    containerStatuses: states.map((state, index) => status(`c${index}`, state, { lastState })),
    initStatuses: [],
    isTerminal: options.isTerminal ?? false,
    isInitialized: true,
  });
}

test('the phase follows the containers by restart policy', () => {
  const table: [string, ContainerState[], string][] = [
    ['Always', [running, running], 'Running'],
    ['Always', [running, waiting], 'Pending'],
    ['Always', [ended(0), ended(1)], 'Running'],
    ['OnFailure', [ended(0), ended(1)], 'Running'],
    ['OnFailure', [ended(0), ended(0)], 'Succeeded'],
    ['Never', [ended(0), ended(0)], 'Succeeded'],
    ['Never', [ended(0), ended(1)], 'Failed'],
    ['Never', [running, ended(1)], 'Running'],
    ['Never', [waiting], 'Pending'],
  ];
  for (const [policy, states, expected] of table) {
    assert.equal(phaseOf(policy, states), expected, `${policy} ${JSON.stringify(states)}`);
  }
  assert.equal(phaseOf('Always', [ended(0)], { isTerminal: true }), 'Succeeded');
  assert.equal(phaseOf('Always', [ended(2)], { isTerminal: true }), 'Failed');
  const backOff = { waiting: { reason: 'CrashLoopBackOff' } };
  assert.equal(phaseOf('Always', [backOff], { lastState: ended(1) }), 'Running');
});

const initPod = (policy: string, more: Partial<Container> = {}): Pod => ({
  metadata: { name: 'p' },
  spec: {
    restartPolicy: policy,
    initContainers: [{ name: 'init', ...more }],
    containers: [{ name: 'c' }],
  },
});

test('init containers hold the pod in Pending until they are done', () => {
  const phase = (policy: string, state: ContainerState, more: Partial<Container> = {}) =>
    podPhase({
      pod: initPod(policy, more),
      containerStatuses: [status('c', waiting)],
      initStatuses: [status('init', state)],
      isTerminal: false,
      isInitialized: false,
    });
  assert.equal(phase('Always', running), 'Pending');
  assert.equal(phase('Always', ended(1)), 'Pending');
  assert.equal(phase('Never', ended(1)), 'Failed');
  assert.equal(phase('Never', running, { restartPolicy: 'Always' }), 'Pending');
});

test('conditions carry the names of what is missing', () => {
  const found = (pod: Pod, containers: ContainerStatus[], init: ContainerStatus[] = []) =>
    Object.fromEntries(
      podConditions({
        pod,
        phase: 'Pending',
        containerStatuses: containers,
        initStatuses: init,
        hasReadySandbox: true,
        known: [{ type: 'gate/off', status: 'False' }],
      }).map(({ type, status: value, reason, message }) => [type, [value, reason, message]]),
    );
  const pod: Pod = {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'a' }, { name: 'b' }, { name: 'x' }] },
  };
  const partly = found(pod, [status('a', running, { ready: true }), status('b', running)]);
  const message = 'containers with unknown status: [x], containers with unready status: [b]';
  assert.deepEqual(partly['ContainersReady'], ['False', 'ContainersNotReady', message]);
  assert.deepEqual(partly['Ready'], ['False', 'ContainersNotReady', message]);
  const init = found(initPod('Always'), [status('c', waiting)], [status('init', running)]);
  assert.deepEqual(init['Initialized'], [
    'False',
    'ContainersNotInitialized',
    'containers with incomplete status: [init]',
  ]);
  const gated: Pod = {
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'a' }],
      readinessGates: [{ conditionType: 'gate/none' }, { conditionType: 'gate/off' }],
    },
  };
  assert.deepEqual(found(gated, [status('a', running, { ready: true })])['Ready'], [
    'False',
    'ReadinessGatesNotReady',
    'corresponding condition of pod readiness gate "gate/none" does not exist., the status of pod readiness gate "gate/off" is not "True", but False',
  ]);
});
