import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Container, CoreV1Event, Pod, PodSpec } from '#schema/types.ts';
import { CriError, grpcCodes } from './cri/mod.ts';
import { startFakeKubelet, testContainer, testPod } from './fake-kubelet.ts';

type Fake = Awaited<ReturnType<typeof startFakeKubelet>>;

interface Case {
  readonly what: string;
  readonly spec?: Partial<PodSpec>;
  readonly options?: Parameters<typeof startFakeKubelet>[0];
  readonly before?: (fake: Fake) => void;
  readonly act?: (fake: Fake) => Promise<void>;
  /** Type, reason, container and text of each event, in any order; <pod> stands for its text. */
  readonly expected: readonly string[];
}

const failed = (details: string): CriError =>
  new CriError({ rpc: 'x', grpcCode: grpcCodes.unknown, details });
const present =
  'Normal Pulled c: Container image "test:1" already present on machine and can be accessed by the pod';
const started = ['Normal Created c: Container created', 'Normal Started c: Container started'];
const dns =
  'Warning MissingClusterDNS : pod: "<pod>". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
const running = [dns, present, ...started];
const withContainer = (more: Partial<Container>): Partial<PodSpec> => ({
  containers: [testContainer('c', more)],
});
const run = ({ until, phase }: Fake): Promise<void> =>
  until('running', () => phase('p') === 'Running');
const remove = async (fake: Fake): Promise<void> => {
  await run(fake);
  await fake.delete('p', 5);
  await fake.until('gone', () => fake.stored('p') === undefined);
};
const waitFor =
  (reason: string) =>
  async ({ until, waiting }: Fake): Promise<void> =>
    await until(reason, () => waiting('p')?.reason === reason);
const probe = (kind: 'liveness' | 'readiness' | 'startup') => ({
  [`${kind}Probe`]: { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 1 },
});
const failing = ({ cri }: Fake): void => {
  cri.onExec = () => ({ exitCode: 1, output: 'sick' });
};
/** Sick once, well from then on, so that nothing else comes of it however long it takes. */
const failingOnce = ({ cri }: Fake): void => {
  let count = 0;
  cri.onExec = () =>
    count++ === 0 ? { exitCode: 1, output: 'sick' } : { exitCode: 0, output: '' };
};
const untilEvent =
  (part: string) =>
  async (fake: Fake): Promise<void> => {
    for (let count = 0; count < 40 && !fake.events().join('\n').includes(part); count++) {
      await fake.pass(500, 250);
    }
    await fake.until(part, () => fake.events().join('\n').includes(part));
  };

const cases: readonly Case[] = [
  { what: 'a pod that starts', act: run, expected: running },
  {
    what: 'a pod that is deleted',
    act: remove,
    expected: [...running, 'Normal Killing c: Stopping container c'],
  },
  {
    what: 'a preStop hook that fails',
    spec: withContainer({ lifecycle: { preStop: { exec: { command: ['x'] } } } }),
    before: failing,
    act: remove,
    expected: [
      ...running,
      'Normal Killing c: Stopping container c',
      'Warning FailedPreStopHook c: PreStopHook failed',
    ],
  },
  {
    what: 'a postStart hook that fails',
    spec: withContainer({ lifecycle: { postStart: { exec: { command: ['x'] } } } }),
    before: failing,
    act: waitFor('PostStartHookError'),
    expected: [
      ...running,
      'Normal Killing c: FailedPostStartHook',
      'Warning FailedPostStartHook c: PostStartHook failed',
    ],
  },
  {
    what: 'a liveness probe that fails',
    spec: withContainer(probe('liveness')),
    before: failingOnce,
    act: untilEvent('Killing'),
    expected: [
      ...running,
      'Normal Killing c: Container c failed liveness probe, will be restarted',
      'Warning Unhealthy c: Liveness probe failed: sick',
    ],
  },
  {
    what: 'a startup probe that fails where nothing is restarted, beside one that runs on',
    spec: {
      restartPolicy: 'Never',
      containers: [testContainer('c', probe('startup')), testContainer('d')],
    },
    before: failingOnce,
    act: untilEvent('Killing'),
    expected: [
      ...running,
      ...running.slice(1).map((event) => event.replace(' c:', ' d:')),
      'Normal Killing c: Container c failed startup probe',
      'Warning Unhealthy c: Startup probe failed: sick',
    ],
  },
  {
    what: 'a readiness probe that cannot be done',
    spec: withContainer(probe('readiness')),
    before: ({ cri }) => cri.fail('ExecSync', failed('no exec')),
    act: untilEvent('Unhealthy'),
    expected: [
      ...running,
      'Warning Unhealthy c: Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = no exec',
    ],
  },
  {
    what: 'a container that cannot be created',
    before: ({ cri }) => cri.fail('CreateContainer', failed('no room')),
    act: waitFor('CreateContainerError'),
    expected: [dns, present, 'Warning Failed c: Error: no room'],
  },
  {
    what: 'a container that cannot be started; its id is not in the text',
    before: ({ cri }) => cri.fail('StartContainer', failed('task container-2 of container-2')),
    act: waitFor('RunContainerError'),
    expected: [
      dns,
      present,
      'Normal Created c: Container created',
      'Warning Failed c: Error: task c of c',
    ],
  },
  {
    what: 'a variable out of nothing',
    spec: withContainer({ envFrom: [{ configMapRef: { name: 'none' } }] }),
    act: waitFor('CreateContainerConfigError'),
    expected: [dns, present, 'Warning Failed c: Error: configmap "none" not found'],
  },
  {
    what: 'an image that is not there and must not be pulled',
    spec: withContainer({ image: 'none:1', imagePullPolicy: 'Never' }),
    act: waitFor('ErrImageNeverPull'),
    expected: [
      dns,
      'Warning ErrImageNeverPull c: Container image "none:1" is not present with pull policy of Never',
      'Warning Failed c: Error: ErrImageNeverPull',
    ],
  },
  {
    what: 'a name that is no image',
    spec: withContainer({ image: 'Not/An Image' }),
    act: waitFor('InvalidImageName'),
    expected: [
      dns,
      'Warning Failed c: Error: InvalidImageName',
      'Warning InspectFailed c: Failed to apply default image tag "Not/An Image": couldn\'t parse image name "Not/An Image": invalid reference format: repository name (An Image) must be lowercase',
    ],
  },
  {
    what: 'a sandbox that cannot be made',
    before: ({ cri }) => cri.fail('RunPodSandbox', failed('no network')),
    act: untilEvent('FailedCreatePodSandBox'),
    expected: [
      dns,
      'Warning FailedCreatePodSandBox : Failed to create pod sandbox: rpc error: code = Unknown desc = no network',
    ],
  },
  {
    what: 'a RuntimeClass that is not there',
    spec: { runtimeClassName: 'none' },
    act: untilEvent('FailedCreatePodSandBox'),
    expected: [
      'Warning FailedCreatePodSandBox : Failed to create pod sandbox: runtimeclasses.node.k8s.io "none" not found',
    ],
  },
  {
    what: 'a cgroup that cannot be made',
    options: { cgroup: 'no memory controller' },
    act: untilEvent('FailedCreatePodContainer'),
    expected: [
      'Warning FailedCreatePodContainer : unable to ensure pod container exists: no memory controller',
    ],
  },
  {
    what: 'volumes that cannot be mounted',
    options: { mount: 'no volumes' },
    act: untilEvent('FailedMount'),
    expected: [dns, 'Warning FailedMount : no volumes'],
  },
  {
    what: 'a deadline that passes',
    spec: { activeDeadlineSeconds: 3 },
    act: async (fake) => {
      await run(fake);
      await fake.pass(4_000);
      await fake.until('failed', () => fake.phase('p') === 'Failed');
    },
    expected: [
      ...running,
      'Normal DeadlineExceeded : Pod was active on the node longer than the specified deadline',
      'Normal Killing c: Stopping container c',
    ],
  },
  {
    what: 'a pod that the node ends and the runtime does not',
    act: async (fake) => {
      await run(fake);
      const over = Promise.withResolvers<void>();
      fake.cri.onStop = () => over.promise;
      const uid = fake.stored('p')?.metadata.uid ?? '';
      fake.kubelet.endPod(uid, { reason: 'Evicted', message: 'low' }, 0);
      await fake.until('stop', () => fake.cri.calls.includes('StopContainer c 2s'));
      await fake.pass(11_000, 1_000);
      over.resolve();
    },
    expected: [
      ...running,
      'Normal Killing c: Stopping container c',
      'Warning ExceededGracePeriod : Container runtime did not kill the pod within specified grace period.',
    ],
  },
];

function eventsOf({ client }: Fake, pod: Pod): string[] {
  const text = `${pod.metadata.name}_default(${pod.metadata.uid ?? ''})`;
  return client
    .all<CoreV1Event>(resources.events)
    .filter(({ involvedObject }) => involvedObject.kind === 'Pod')
    .map(({ type, reason, message, involvedObject }) => {
      const container = /\{(.*)\}/.exec(involvedObject.fieldPath ?? '')?.[1] ?? '';
      return `${type} ${reason} ${container}: ${message}`.replaceAll(text, '<pod>');
    })
    .sort();
}

for (const { what, spec = {}, options = {}, before, act, expected } of cases) {
  test(`events tell of ${what}`, async (context) => {
    const fake = await startFakeKubelet(options);
    context.after(() => fake.close());
    before?.(fake);
    const pod = await fake.create(testPod('p', spec));
    await act?.(fake);
    assert.deepEqual(eventsOf(fake, pod), [...expected].sort());
  });
}
