/** Deletes: periods of grace, finalizers, preconditions, dependents, collections, namespaces. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = '/api/v1/namespaces/deletes';
const maps = `${namespace}/configmaps`;
const pods = `${namespace}/pods`;
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'deletes' } } });
  await api.until(`${namespace}/serviceaccounts/default`, ({ status }) => status === 200);
  await api.request('POST', '/api/v1/nodes', { body: { metadata: { name: 'n1' } } });
});

after(() => api.close());

async function makeMap(name: string, metadata: object = {}): Promise<Answer> {
  const answer = await api.request('POST', maps, { body: { metadata: { name, ...metadata } } });
  assert.equal(answer.status, 201, answer.text);
  return answer;
}

/** A pod on a node, so that it is waited for. */
async function makePod(name: string): Promise<void> {
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] };
  const answer = await api.request('POST', pods, { body: { metadata: { name }, spec } });
  assert.equal(answer.status, 201, answer.text);
}

async function remove(path: string, options?: object): Promise<Answer> {
  return await api.request('DELETE', path, options === undefined ? {} : { body: options });
}

async function isGone(path: string): Promise<boolean> {
  return (await api.request('GET', path)).status === 404;
}

describe('one object', () => {
  test('what goes at once is answered with its name and uid', async () => {
    const made = await makeMap('plain');
    const answer = await remove(`${maps}/plain`);
    assert.deepEqual(answer.json, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'plain', kind: 'configmaps', uid: made.at('metadata.uid') },
    });
    assert.equal((await remove(`${maps}/plain`)).status, 404);
  });

  test('a trial deletes nothing', async () => {
    await makeMap('tried');
    assert.equal((await remove(`${maps}/tried?dryRun=All`)).status, 200);
    assert.equal(await isGone(`${maps}/tried`), false);
  });

  test('preconditions are kept', async () => {
    const made = await makeMap('guarded');
    const { uid, resourceVersion } = made.at('metadata') as Record<string, string>;
    const wrong = await remove(`${maps}/guarded`, { preconditions: { uid: 'x' } });
    assert.deepEqual(
      [wrong.status, wrong.at('message')],
      [
        409,
        `Operation cannot be fulfilled on ConfigMap "guarded": the UID in the precondition (x) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      ],
    );
    const old = await remove(`${maps}/guarded`, { preconditions: { resourceVersion: '1' } });
    assert.equal(old.status, 409);
    const right = await remove(`${maps}/guarded`, { preconditions: { uid, resourceVersion } });
    assert.equal(right.status, 200);
  });

  test('options without meaning are refused', async () => {
    await makeMap('refused');
    const cases: [options: object, status: number, message: RegExp][] = [
      [
        { propagationPolicy: 'Some' },
        422,
        /supported values: "Foreground", "Background", "Orphan"/,
      ],
      [
        { propagationPolicy: 'Orphan', orphanDependents: true },
        422,
        /orphanDependents and deletionPropagation cannot be both set/,
      ],
      [{ kind: 'Pod', apiVersion: 'v1' }, 400, /cannot be converted to DeleteOptions/],
      [
        { gracePeriodSeconds: 'x' },
        400,
        /^json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64$/,
      ],
      [
        { dryRun: 'All' },
        400,
        /^json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type \[\]string$/,
      ],
      [
        { preconditions: { uid: 1 } },
        400,
        /^json: cannot unmarshal number into Go struct field Preconditions.preconditions.uid of type types.UID$/,
      ],
      [
        { apiVersion: true },
        400,
        /^couldn't get version\/kind; json parse error: json: cannot unmarshal bool into Go struct field .apiVersion of type string$/,
      ],
      [{ dryRun: ['Some'] }, 422, /dryRun: Unsupported value: \["Some"\]: supported values: "All"/],
    ];
    for (const [options, status, message] of cases) {
      const answer = await remove(`${maps}/refused`, options);
      assert.equal(answer.status, status);
      assert.match(String(answer.at('message')), message);
    }
    assert.equal((await remove(`${maps}/refused?gracePeriodSeconds=x`)).status, 400);
  });

  test('finalizers keep it; none can be added then, the last one takes it away', async () => {
    await makeMap('held', { finalizers: ['example.com/a'] });
    const started = await remove(`${maps}/held`);
    assert.deepEqual([started.status, started.at('metadata.deletionGracePeriodSeconds')], [200, 0]);
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const more = { metadata: { finalizers: ['example.com/a', 'example.com/b'] } };
    const added = await api.request('PATCH', `${maps}/held`, { body: more, headers });
    assert.match(String(added.at('message')), /no new finalizers can be added/);
    const none = { metadata: { finalizers: null } };
    await api.request('PATCH', `${maps}/held`, { body: none, headers });
    assert.equal(await isGone(`${maps}/held`), true);
  });
});

describe('pods', () => {
  test('a pod is given its time; later deletes can only shorten it', async () => {
    await makePod('slow');
    const seconds = async (options?: object): Promise<unknown> =>
      (await remove(`${pods}/slow`, options)).at('metadata.deletionGracePeriodSeconds');
    assert.equal(await seconds(), 30);
    assert.equal(await seconds({ gracePeriodSeconds: 60 }), 30);
    assert.equal(await seconds({ gracePeriodSeconds: 5 }), 5);
    assert.equal(await seconds({ gracePeriodSeconds: -1 }), 1);
    const last = await remove(`${pods}/slow`, { gracePeriodSeconds: 0 });
    assert.deepEqual([last.status, last.at('kind')], [200, 'Pod']);
    assert.equal(await isGone(`${pods}/slow`), true);
  });

  test('a pod on no node goes at once', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    await api.request('POST', pods, { body: { metadata: { name: 'nowhere' }, spec } });
    await remove(`${pods}/nowhere`);
    assert.equal(await isGone(`${pods}/nowhere`), true);
  });

  test('a disruption budget refuses evictions until there is room', async () => {
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const makeReadyPod = async (name: string): Promise<void> => {
      await makePod(name);
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await api.request('PATCH', `${pods}/${name}/status`, { body: { status }, headers });
    };
    await makeReadyPod('guarded');
    const budgets = '/apis/policy/v1/namespaces/deletes/poddisruptionbudgets';
    const spec = { minAvailable: 1, selector: {} };
    await api.request('POST', budgets, { body: { metadata: { name: 'b' }, spec } });
    const healthy = (count: number): Promise<unknown> =>
      api.until(`${budgets}/b`, (budget) => budget.at('status.currentHealthy') === count);
    const evict = (): Promise<Answer> =>
      api.request('POST', `${pods}/guarded/eviction`, {
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guarded' } },
      });
    await healthy(1);
    const refused = await evict();
    assert.deepEqual(
      [refused.status, refused.at('message'), refused.at('details.causes')],
      [
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
        [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget b needs 1 healthy pods and has 1 currently',
          },
        ],
      ],
    );
    await makeReadyPod('other');
    await healthy(2);
    const evicted = await evict();
    assert.deepEqual([evicted.status, evicted.at('status')], [201, 'Success']);
    const pod = await api.request('GET', `${pods}/guarded`);
    assert.equal(pod.at('metadata.deletionGracePeriodSeconds'), 30);
    await remove(`${pods}/guarded`, { gracePeriodSeconds: 0 });
    await remove(`${pods}/other`, { gracePeriodSeconds: 0 });
  });
});

describe('many objects', () => {
  test('a collection goes by selector, and is listed in the answer', async () => {
    for (const [name, group] of [
      ['c1', 'a'],
      ['c2', 'a'],
      ['c3', 'b'],
    ] as const) {
      await makeMap(name, { labels: { group } });
    }
    const answer = await remove(`${maps}?labelSelector=group%3Da`);
    assert.deepEqual(answer.at('items.*.metadata.name'), ['c1', 'c2']);
    const left = await api.request('GET', `${maps}?labelSelector=group`);
    assert.deepEqual(left.at('items.*.metadata.name'), ['c3']);
  });

  test('nothing is deleted across namespaces', async () => {
    for (const path of ['/api/v1/configmaps', '/api/v1/namespaces']) {
      const answer = await remove(path);
      assert.deepEqual(
        [answer.status, answer.at('message')],
        [405, 'the server does not allow this method on the requested resource'],
      );
    }
  });

  test('dependents are orphaned, go later, or go first', async () => {
    for (const [policy, finalizers, isDependentGone] of [
      ['Orphan', ['orphan'], false],
      ['Background', undefined, true],
      ['Foreground', ['foregroundDeletion'], true],
    ] as const) {
      const name = policy.toLowerCase();
      const owner = await makeMap(name);
      const uid = owner.at('metadata.uid');
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name, uid };
      await makeMap(`${name}-child`, {
        ownerReferences: [{ ...reference, blockOwnerDeletion: true }],
      });
      const answer = await remove(`${maps}/${name}?propagationPolicy=${policy}`);
      assert.deepEqual(answer.at('metadata.finalizers'), finalizers);
      await api.until(`${maps}/${name}`, ({ status }) => status === 404);
      await api.until(
        `${maps}/${name}-child`,
        (child) =>
          (child.status === 404) === isDependentGone &&
          (isDependentGone || child.at('metadata.ownerReferences') === undefined),
      );
    }
  });
});

describe('namespaces', () => {
  test('one that goes takes nothing new, and waits for its content', async () => {
    const path = '/api/v1/namespaces/going';
    await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'going' } } });
    const held = { metadata: { name: 'held', finalizers: ['example.com/f'] } };
    await api.request('POST', `${path}/configmaps`, { body: held });
    const started = await remove(path);
    assert.equal(started.at('status.phase'), 'Terminating');
    const refused = await api.request('POST', `${path}/configmaps`, {
      body: { metadata: { name: 'new' } },
    });
    assert.deepEqual(
      [refused.status, refused.at('message'), refused.at('details.causes.0.reason')],
      [
        403,
        'configmaps "new" is forbidden: unable to create new content in namespace going because it is being terminated',
        'NamespaceTerminating',
      ],
    );
    const waiting = await api.until(path, (answer) =>
      JSON.stringify(answer.at('status.conditions') ?? '').includes('SomeFinalizersRemain'),
    );
    assert.match(
      waiting.text,
      /Some content in the namespace has finalizers remaining: example.com/,
    );
    await api.request('PATCH', `${path}/configmaps/held`, {
      body: { metadata: { finalizers: null } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    await api.until(path, ({ status }) => status === 404);
  });

  test('some may not go, one that is not there takes nothing', async () => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      const answer = await remove(`/api/v1/namespaces/${name}`);
      assert.equal(
        answer.at('message'),
        `namespaces ${JSON.stringify(name)} is forbidden: this namespace may not be deleted`,
      );
    }
    const answer = await api.request('POST', '/api/v1/namespaces/none/configmaps', {
      body: { metadata: { name: 'x' } },
    });
    assert.deepEqual([answer.status, answer.at('message')], [404, 'namespaces "none" not found']);
  });
});
