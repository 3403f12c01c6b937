import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';

async function started(context: TestContext, options?: Parameters<typeof startFakeKubelet>[0]) {
  const kubelet = await startFakeKubelet(options);
  context.after(() => kubelet.close());
  return kubelet;
}

const volumes = [
  { name: 'model', image: { reference: 'models:7', pullPolicy: 'IfNotPresent' } },
  { name: 'plain', emptyDir: {} },
];
const volumeMounts = [
  { name: 'model', mountPath: '/model' },
  { name: 'plain', mountPath: '/plain' },
];

test('an image volume is pulled once and mounted read-only into who mounts it', async (context) => {
  const { create, until, phase, cri, order, events } = await started(context);
  const containers = [
    testContainer('a', { volumeMounts }),
    testContainer('b', { volumeMounts }),
    testContainer('c'),
  ];
  await create(testPod('p', { containers, volumes }));
  await until('running', () => phase('p') === 'Running');
  await until('all', () => cri.calls.includes('StartContainer c'));
  assert.deepEqual(order, ['mount sha256:models:7']);
  assert.equal(cri.calls.filter((call) => call.startsWith('PullImage')).length, 1);
  const mounts = cri.configs.map(({ mounts: all }) =>
    all.map(({ hostPath, containerPath, readonly }) => [hostPath, containerPath, readonly]),
  );
  const both = [
    ['/images/model', '/model', true],
    ['/volumes/plain', '/plain', false],
  ];
  assert.deepEqual(mounts.map((all) => all.slice(0, 2)).slice(0, 2), [both, both]);
  assert.equal(
    mounts[2]?.some(([, path]) => path === '/model'),
    false,
  );
  assert.ok(events().includes('Pulling: Pulling image "models:7"'));
});

test('a container whose image volume cannot be pulled waits, the others run', async (context) => {
  const { create, until, cri, stored, pass, phase } = await started(context);
  cri.fail('PullImage', new Error('no such host'));
  const containers = [testContainer('a', { volumeMounts }), testContainer('b')];
  await create(testPod('p', { containers, volumes }));
  const waiting = (): string | undefined =>
    stored('p')?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
  await until('error', () => waiting() === 'ErrImagePull');
  await until('b', () => cri.calls.includes('StartContainer b'));
  cri.fail('PullImage', undefined);
  await pass(40_000);
  await until('running', () => phase('p') === 'Running');
});

test('what the runtime cannot mount is told', async (context) => {
  const { create, until, waiting, events } = await started(context, { imageMount: 'not here' });
  await create(testPod('p', { containers: [testContainer('a', { volumeMounts })], volumes }));
  await until('error', () => waiting('p')?.reason === 'CreateContainerError');
  const text = 'ImageVolumeMountFailed: failed to mount image volume "model": not here';
  assert.equal(waiting('p')?.message, text);
  assert.ok(events().includes(`Failed: Error: ${text}`));
});

test('a path that is not in the image cannot be made there', async (context) => {
  const { create, until, waiting } = await started(context);
  const mounts = [{ name: 'model', mountPath: '/model', subPath: 'none' }];
  await create(
    testPod('p', { containers: [testContainer('a', { volumeMounts: mounts })], volumes }),
  );
  await until('error', () => waiting('p')?.reason === 'CreateContainerError');
  assert.equal(
    waiting('p')?.message,
    'ImageVolumeMountFailed: subPath "none" is not in image volume "model"',
  );
});

test('an image that a volume shows is in use: it is not collected', async (context) => {
  const full = { capacityBytes: 1000, availableBytes: 10, inodes: 1, inodesFree: 1 };
  const { create, until, phase, cri, pass } = await started(context, {
    usage: () => ({ imageFs: full }),
    config: { evictionHard: {} },
  });
  await create(testPod('p', { containers: [testContainer('a', { volumeMounts })], volumes }));
  await until('running', () => phase('p') === 'Running');
  cri.addImage('idle:1');
  await pass(900_000, 30_000);
  await until('a collection', () => cri.calls.includes('RemoveImage sha256:idle:1'));
  assert.equal(cri.calls.includes('RemoveImage sha256:models:7'), false);
});
