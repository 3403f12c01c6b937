/** What the server makes of objects on their way in: the rules of kinds that no schema says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = '/api/v1/namespaces/default';
const pods = `${namespace}/pods`;
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableScheduler: true, disableControllerManager: true });
  // no controller makes it
  await create(`${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
});

after(() => api.close());

const create = (path: string, body: object): Promise<Answer> => api.request('POST', path, { body });
const container = { name: 'c', image: 'i' };

async function change(path: string, body: object): Promise<Answer> {
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  return await api.request('PATCH', path, { body, headers });
}

async function makePod(name: string, status: object = {}, labels: object = {}): Promise<void> {
  const spec = { nodeName: 'n', containers: [container] };
  const made = await create(pods, { metadata: { name, labels }, spec });
  assert.equal(made.status, 201, made.text);
  await change(`${pods}/${name}/status`, { status });
}

describe('evictions', () => {
  const evict = (name: string, more: object = {}): Promise<Answer> =>
    create(`${pods}/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
      ...more,
    });

  test('name their pod, and keep to the version that they name', async () => {
    await makePod('named');
    const other = await evict('named', { metadata: { name: 'other' } });
    assert.deepEqual(
      [other.status, other.at('message')],
      [400, 'name in URL does not match name in Eviction object'],
    );
    for (const preconditions of [{ uid: 'x' }, { resourceVersion: '1' }]) {
      const stale = await evict('named', { deleteOptions: { preconditions } });
      assert.equal(stale.status, 409, stale.text);
    }
    const tried = await evict('named', { deleteOptions: { dryRun: ['All'] } });
    assert.equal(tried.status, 201);
    const pod = await api.request('GET', `${pods}/named`);
    assert.equal(pod.at('metadata.deletionTimestamp'), undefined);
    assert.equal(pod.at('status.conditions'), undefined);
  });

  test('say in the status why the pod goes', async () => {
    await makePod('told', { phase: 'Running' });
    assert.equal((await evict('told')).status, 201);
    const pod = await api.request('GET', `${pods}/told`);
    const [condition] = pod.at('status.conditions') as Record<string, string>[];
    const { lastTransitionTime, ...rest } = condition ?? {};
    assert.ok(lastTransitionTime);
    assert.deepEqual(rest, {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    });
  });

  test('are refused for what the budget says', async () => {
    const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await makePod('guarded', ready, { app: 'guarded' });
    const selector = { matchLabels: { app: 'guarded' } };
    const spec = { minAvailable: 1, selector };
    await create(budgets, { metadata: { name: 'b' }, spec });
    const early = await evict('guarded');
    assert.deepEqual([early.status, early.headers['retry-after']], [429, '10']);
    const counted = { observedGeneration: 1, expectedPods: 2, disruptionsAllowed: 0 };
    const condition = {
      type: 'DisruptionAllowed',
      status: 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const cases: [currentHealthy: number, conditions: object[], text: string][] = [
      [1, [], 'needs 1 healthy pods and has 1 currently'],
      [2, [], 'does not allow evicting pods currently'],
      [
        1,
        [{ ...condition, reason: 'SyncFailed', message: 'no way' }],
        'does not allow evicting pods currently because it failed sync: no way',
      ],
      [
        2,
        [{ ...condition, reason: 'Other', message: 'no way' }],
        'does not allow evicting pods currently (Other): no way',
      ],
    ];
    for (const [currentHealthy, conditions, text] of cases) {
      const status = { ...counted, currentHealthy, desiredHealthy: 1, conditions };
      await change(`${budgets}/b/status`, { status });
      const refused = await evict('guarded');
      assert.equal(refused.status, 429);
      assert.equal(refused.at('details.causes.0.message'), `The disruption budget b ${text}`);
    }
    const roomy = { disruptionsAllowed: 1, conditions: [] };
    await change(`${budgets}/b/status`, { status: roomy });
    assert.equal((await evict('guarded')).status, 201);
    const spent = await api.request('GET', `${budgets}/b`);
    assert.equal(spent.at('status.disruptionsAllowed'), 0);
    assert.deepEqual(Object.keys(spent.at('status.disruptedPods') as object), ['guarded']);
    assert.equal(spent.at('status.conditions.0.reason'), 'InsufficientPods');
    await makePod('twice', ready, { app: 'guarded' });
    await create(budgets, { metadata: { name: 'b2' }, spec });
    const twice = await evict('twice');
    assert.deepEqual(
      [twice.status, twice.at('message')],
      [
        500,
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      ],
    );
  });
});

test('a binding names its pod and a node', async () => {
  const unbound = { metadata: { name: 'unbound' }, spec: { containers: [container] } };
  await create(pods, unbound);
  const bind = (body: object): Promise<Answer> => create(`${pods}/unbound/binding`, body);
  const nameless = await bind({ target: { kind: 'Node', name: 'n' } });
  assert.deepEqual(
    [nameless.status, nameless.at('message')],
    [400, 'name in URL does not match name in Binding object'],
  );
  const wrong = await bind({ metadata: { name: 'unbound' }, target: { kind: 'Pod', name: '' } });
  assert.deepEqual(
    [wrong.status, wrong.at('message')],
    [
      500,
      '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
    ],
  );
});

test('a request for a stream says what is wrong with the pod first', async () => {
  const spec = { containers: [container, { name: 'd', image: 'i' }] };
  await create(pods, { metadata: { name: 'two' }, spec });
  const cases: [path: string, status: number, text: string][] = [
    ['gone/exec', 404, 'pods "gone" not found'],
    ['two/exec', 400, 'a container name must be specified for pod two, choose one of: [c d]'],
    ['two/attach?container=e', 400, 'container e is not valid for pod two'],
    ['two/portforward', 400, 'pod two does not have a host assigned'],
  ];
  for (const [path, status, text] of cases) {
    const answer = await api.request('GET', `${pods}/${path}`);
    assert.deepEqual([answer.status, answer.at('message')], [status, text], path);
  }
});

test('profiles of annotations become fields, with a warning', async () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/c';
  const metadata = { name: 'armed', annotations: { [key]: 'unconfined' } };
  const made = await create(pods, { metadata, spec: { containers: [container] } });
  assert.deepEqual(made.at('spec.containers.0.securityContext.appArmorProfile'), {
    type: 'Unconfined',
  });
  assert.match(String(made.headers['warning']), /use the \\"appArmorProfile\\" field instead/);
});

test('a pod is warned of its name when it is made, and of nothing when it changes', async () => {
  const spec = { containers: [container], terminationGracePeriodSeconds: -1 };
  const made = await create(pods, { metadata: { name: 'a.b' }, spec });
  const warnings = String(made.headers['warning']);
  assert.match(warnings, /this is used in the Pod's hostname, .*: \[must not contain dots\]/);
  assert.match(warnings, /negative values are invalid and will be treated as 1/);
  const changed = await change(`${pods}/a.b`, { metadata: { labels: { a: 'b' } } });
  assert.deepEqual([changed.status, changed.headers['warning']], [200, undefined]);
});

test('a job with labels of another one is refused; it shows those of its pods', async () => {
  const jobs = '/apis/batch/v1/namespaces/default/jobs';
  const job = (name: string, labels: object): object => ({
    metadata: { name },
    spec: {
      template: { metadata: { labels }, spec: { restartPolicy: 'Never', containers: [container] } },
    },
  });
  const wrong = await create(jobs, job('wrong', { 'job-name': 'other' }));
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /spec.template.metadata.labels\[job-name\]/);
  const made = await create(jobs, job('right', {}));
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.at('metadata.labels'), made.at('spec.template.metadata.labels'));
});

test('pods are selected by the old name of their node, too', async () => {
  await makePod('hosted');
  const select = (selector: string): Promise<Answer> =>
    api.request('GET', `${pods}?fieldSelector=${encodeURIComponent(selector)}`);
  const names = (answer: Answer): unknown[] =>
    (answer.at('items') as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  assert.deepEqual(names(await select('metadata.name=hosted,spec.host=n')), ['hosted']);
  assert.deepEqual(names(await select('spec.host!=n,metadata.name=hosted')), []);
  assert.equal((await select('spec.hosts=n')).status, 400);
});

test('a table marks the pods that have ended', async () => {
  await makePod('ended', { phase: 'Succeeded' }, { app: 'rows' });
  await makePod('running', { phase: 'Running' }, { app: 'rows' });
  const headers = { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };
  const table = await api.request('GET', `${pods}?labelSelector=app%3Drows`, { headers });
  const mark = {
    type: 'Completed',
    status: 'True',
    reason: 'Succeeded',
    message: 'The pod has completed successfully.',
  };
  assert.deepEqual(table.at('rows.0.conditions'), [mark]);
  assert.equal(table.at('rows.1.conditions'), undefined);
  const one = await api.request('GET', `${pods}/ended`, { headers });
  assert.deepEqual(one.at('rows.0.conditions'), [mark]);
});

test('the count of a daemon set belongs to who makes it', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };
  const made = await create('/apis/apps/v1/namespaces/default/daemonsets', {
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  });
  const key = 'deprecated.daemonset.template.generation';
  assert.deepEqual(made.at('metadata.annotations'), { [key]: '1' });
  const [entry] = made.at('metadata.managedFields') as { fieldsV1: Record<string, unknown> }[];
  assert.deepEqual(entry?.fieldsV1['f:metadata'], {
    'f:annotations': { '.': {}, [`f:${key}`]: {} },
  });
});

test('a limit range without a name gets one', async () => {
  const made = await create(`${namespace}/limitranges`, { spec: { limits: [] } });
  assert.equal(made.status, 201, made.text);
  assert.match(String(made.at('metadata.name')), /^[0-9a-f-]{36}$/);
});

test('a volume says since when it is in its phase', async () => {
  const volumes = '/api/v1/persistentvolumes';
  const capacity = { storage: '1Gi' };
  const spec = { capacity, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
  const made = await create(volumes, { metadata: { name: 'v' }, spec });
  const born = made.at('metadata.creationTimestamp');
  assert.deepEqual(made.at('status'), { phase: 'Pending', lastPhaseTransitionTime: born });
  const told = '2020-01-01T00:00:00Z';
  const status = { phase: 'Available', lastPhaseTransitionTime: told };
  const changed = await change(`${volumes}/v/status`, { status });
  assert.deepEqual(changed.at('status'), status);
});
