import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Secret } from '#schema/types.ts';
import { CriError } from '../cri/mod.ts';
import { createFakeCri } from '../cri/fake-cri.ts';
import { createImagePuller } from './image-puller.ts';
import type { PullCredential } from './pull-credential.ts';
import type { VerificationPolicy } from './pull-policy.ts';
import { createPullRecords } from './pull-records.ts';

const image = 'reg.test/team/app:1';

function secretOf(name: string, password: string): Secret {
  const auths = { 'reg.test': { username: 'u', password } };
  const data = Buffer.from(JSON.stringify({ auths })).toString('base64');
  return {
    metadata: { name, namespace: 'ns', uid: `uid-${name}` },
    data: { '.dockerconfigjson': data },
  };
}

/** A registry that takes one password for everything, and a node without images. */
async function nodeWith(
  context: TestContext,
  options: {
    policy?: VerificationPolicy;
    allowlist?: string[];
    secrets?: Secret[];
    /** The node's own credentials. */
    node?: () => PullCredential[];
  } = {},
) {
  const { policy = 'NeverVerifyPreloadedImages', allowlist = [], secrets = [] } = options;
  const rootDir = await mkdtemp(join(tmpdir(), 'k3ts-puller-'));
  context.after(() => rm(rootDir, { recursive: true }));
  const clock = new FakeClock();
  const cri = createFakeCri({ clock });
  const events: string[] = [];
  const passwords: (string | undefined)[] = [];
  const note = (reason: string, message: string): void => void events.push(`${reason}: ${message}`);
  const build = () =>
    createImagePuller({
      clock,
      images: {
        ...cri.images,
        async pullImage(spec, request) {
          passwords.push(request.auth?.password);
          if (request.auth?.password === 'right') return await cri.images.pullImage(spec, request);
          const details = `denied: ${request.auth?.password ?? 'anonymous'}`;
          throw new CriError({ rpc: 'PullImage', grpcCode: 2, details });
        },
      },
      events: {
        pod: (_pod, _type, reason, message) => note(reason, message),
        container: (_pod, _of, _type, reason, message) => note(reason, message),
      },
      readSecret: async (_namespace, name) => {
        const found = secrets.find(({ metadata }) => metadata.name === name);
        return found ?? Promise.reject(new Error('not found'));
      },
      nodeCredentials: async () => options.node?.() ?? [],
      records: createPullRecords({ rootDir, policy, allowlist, clock, log: silentLogger }),
    });
  let puller = build();
  /** The failure's reason, or what the last event says. */
  const ensure = async (
    name: string,
    more: { secrets?: string[]; policy?: 'Always' | 'Never' } = {},
  ): Promise<string> => {
    const { secrets: names = [], policy: imagePullPolicy = 'IfNotPresent' } = more;
    const container = { name: 'c', image, imagePullPolicy };
    const pod = {
      metadata: { name, namespace: 'ns', uid: name },
      spec: { containers: [container], imagePullSecrets: names.map((one) => ({ name: one })) },
    };
    const of = { container, kind: 'containers' as const };
    const { signal } = new AbortController();
    const pullPolicy = imagePullPolicy;
    const request = { pod, of, image, pullPolicy, sandboxConfig: undefined, signal };
    return await puller.ensure(request).then(
      () => events.at(-1)?.split(':')[0] ?? '',
      (error: { reason?: string }) => error.reason ?? String(error),
    );
  };
  const restart = (): void => void (puller = build());
  return { cri, clock, events, passwords, secrets, ensure, restart };
}

const present = `Pulled: Container image "${image}" already present on machine and can be accessed by the pod`;

test('an image that was pulled with a secret is only for pods that can show it', async (context) => {
  const secrets = [secretOf('right', 'right'), secretOf('copy', 'right'), secretOf('wrong', 'no')];
  const { ensure, events, passwords, restart } = await nodeWith(context, { secrets });
  assert.equal(await ensure('a', { secrets: ['right'] }), 'Pulled');
  assert.equal(await ensure('b', { secrets: ['right'] }), 'Pulled');
  assert.equal(events.at(-1), present);
  assert.equal(await ensure('c', { secrets: ['copy'] }), 'Pulled');
  assert.deepEqual(passwords, ['right']);
  assert.equal(await ensure('d'), 'ErrImagePull');
  assert.equal(await ensure('e', { secrets: ['wrong'] }), 'ErrImagePull');
  assert.deepEqual(passwords, ['right', undefined, 'no']);
  assert.equal(await ensure('f', { policy: 'Never' }), 'ErrImageNeverPull');
  const never = `ErrImageNeverPull: Container image "${image}" is not present with pull policy of Never`;
  assert.equal(events.at(-1), never);
  restart();
  assert.equal(await ensure('g', { secrets: ['right'] }), 'Pulled');
  assert.equal(await ensure('h'), 'ErrImagePull');
});

test('a secret that was changed stays good for what it opened before', async (context) => {
  const secrets = [secretOf('s', 'right')];
  const { ensure, passwords } = await nodeWith(context, { secrets });
  assert.equal(await ensure('a', { secrets: ['s'] }), 'Pulled');
  secrets[0] = secretOf('s', 'newer');
  assert.equal(await ensure('b', { secrets: ['s'] }), 'Pulled');
  secrets[0] = {
    ...secretOf('s', 'newer'),
    metadata: { name: 's', namespace: 'ns', uid: 'other' },
  };
  assert.equal(await ensure('c', { secrets: ['s'] }), 'Pulled');
  assert.deepEqual(passwords, ['right']);
});

test('an image that a service account opened is for its pods', async (context) => {
  const account = { uid: 'uid-sa', namespace: 'ns', name: 'sa' };
  const auth = { username: 'u', password: 'right' };
  let shown: PullCredential[] = [{ auth, serviceAccount: account }];
  const { ensure, passwords } = await nodeWith(context, { node: () => shown });
  assert.equal(await ensure('a'), 'Pulled');
  assert.equal(await ensure('b'), 'Pulled');
  assert.deepEqual(passwords, ['right']);
  shown = [{ auth: { ...auth, password: 'no' }, serviceAccount: { ...account, uid: 'other' } }];
  assert.equal(await ensure('c'), 'ErrImagePull');
  shown = [{ auth }];
  assert.equal(await ensure('d'), 'Pulled');
  shown = [];
  assert.equal(await ensure('e'), 'Pulled');
});

test('images that were there before the kubelet are as the policy says', async (context) => {
  const table: [VerificationPolicy, string[], string][] = [
    ['NeverVerify', [], 'Pulled'],
    ['NeverVerifyPreloadedImages', [], 'Pulled'],
    ['NeverVerifyAllowlistedImages', [], 'ErrImagePull'],
    ['NeverVerifyAllowlistedImages', ['reg.test/team/app'], 'Pulled'],
    ['NeverVerifyAllowlistedImages', ['reg.test/*'], 'Pulled'],
    ['NeverVerifyAllowlistedImages', ['reg.test/other'], 'ErrImagePull'],
    ['AlwaysVerify', [], 'ErrImagePull'],
  ];
  for (const [policy, allowlist, expected] of table) {
    const { ensure, cri } = await nodeWith(context, { policy, allowlist });
    cri.addImage(image);
    assert.equal(await ensure('a'), expected, `${policy} ${allowlist.join()}`);
  }
});

test('with NeverVerify everybody may use what a secret pulled', async (context) => {
  const secrets = [secretOf('right', 'right')];
  const { ensure } = await nodeWith(context, { secrets, policy: 'NeverVerify' });
  assert.equal(await ensure('a', { secrets: ['right'] }), 'Pulled');
  assert.equal(await ensure('b', { policy: 'Never' }), 'Pulled');
});

test('events of a pull name the image as the pod does, and all failures', async (context) => {
  const secrets = [secretOf('one', 'bad'), secretOf('two', 'worse'), secretOf('three', 'right')];
  const { ensure, events, clock } = await nodeWith(context, { secrets });
  assert.equal(await ensure('a', { secrets: ['one', 'two', 'gone'] }), 'ErrImagePull');
  const problem = ['bad', 'worse']
    .map((word) => `rpc error: code = Unknown desc = denied: ${word}`)
    .join(', ');
  assert.deepEqual(events.splice(0), [
    `Pulling: Pulling image "${image}"`,
    'FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.',
    `Failed: Failed to pull image "${image}": [${problem}]`,
  ]);
  assert.equal(await ensure('a', { secrets: ['three'] }), 'ImagePullBackOff');
  assert.deepEqual(events.splice(0), [`BackOff: Back-off pulling image "${image}"`]);
  await clock.advance(10_000);
  assert.equal(await ensure('a', { secrets: ['three'] }), 'Pulled');
  assert.deepEqual(events, [
    `Pulling: Pulling image "${image}"`,
    `Pulled: Successfully pulled image "${image}" in 0s (0s including waiting). Image size: 100 bytes.`,
  ]);
});
