/** Priority and fairness as clients see it: headers, refusals, objects in force at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import type { Answer } from './answer.ts';
import type { Identity, TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const group = '/apis/flowcontrol.apiserver.k8s.io/v1';
let api: TestApi;
let jane: Identity;

before(async () => {
  api = await startTestApi();
  jane = await api.identity('jane', []);
  await api.kubectl(['create', 'clusterrolebinding', 'jane', '--clusterrole=view', '--user=jane']);
  await api.until(
    `${group}/flowschemas/catch-all`,
    (answer) => answer.at('status.conditions.0.status') === 'False',
  );
});
after(() => api.close());

const uidOf = async (path: string): Promise<unknown> =>
  (await api.request('GET', `${group}/${path}`)).at('metadata.uid');

test('every answer names the flow schema and the priority level of its request', async () => {
  const list = await api.request('GET', '/api/v1/namespaces/default/pods', { as: jane });
  assert.equal(list.status, 200);
  const { headers } = list;
  assert.equal(
    headers['x-kubernetes-pf-flowschema-uid'],
    await uidOf('flowschemas/global-default'),
  );
  assert.equal(
    headers['x-kubernetes-pf-prioritylevel-uid'],
    await uidOf('prioritylevelconfigurations/global-default'),
  );
  const admin = await api.request('GET', '/version');
  const exempt = await uidOf('prioritylevelconfigurations/exempt');
  assert.equal(admin.headers['x-kubernetes-pf-prioritylevel-uid'], exempt);
});

test('a schema whose level is missing says so, until the level is there', async () => {
  const schema = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'lost' },
    spec: {
      priorityLevelConfiguration: { name: 'later' },
      matchingPrecedence: 5000,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'nobody' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  };
  assert.equal((await api.request('POST', `${group}/flowschemas`, { body: schema })).status, 201);
  const dangling = await api.until(
    `${group}/flowschemas/lost`,
    (answer) => answer.at('status.conditions.0.status') === 'True',
  );
  assert.equal(dangling.at('status.conditions.0.reason'), 'NotFound');
  assert.equal(
    dangling.at('status.conditions.0.message'),
    'This FlowSchema references the PriorityLevelConfiguration object named "later" but there is no such object',
  );
  const level = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'later' },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } },
    },
  };
  const made = await api.request('POST', `${group}/prioritylevelconfigurations`, { body: level });
  assert.equal(made.status, 201);
  const found = await api.until(
    `${group}/flowschemas/lost`,
    (answer) => answer.at('status.conditions.0.status') === 'False',
  );
  assert.equal(found.at('status.conditions.0.reason'), 'Found');
  const table = await api.kubectl(['get', 'flowschemas', 'lost']);
  assert.match(table.stdout, /^lost +later +5000 +<none> +\d+s +False$/m);
});

test('the dumps list levels, queues and requests; only admins may read them', async () => {
  const dump = (name: string, as?: Identity): Promise<Answer> =>
    api.request('GET', `/debug/api_priority_and_fairness/${name}`, as === undefined ? {} : { as });
  const levels = (await dump('dump_priority_levels')).text;
  assert.match(levels, /^PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, /);
  assert.match(levels, /^catch-all, +0, +true, +false, +0, +0, +\d+, +0, +0, +0$/m);
  assert.match((await dump('dump_queues')).text, /^workload-low, +127, +0, +0, +0, /m);
  assert.match((await dump('dump_requests')).text, /^exempt, +exempt, +-1, +-1, +, +20/m);
  assert.equal((await dump('dump_queues', jane)).status, 403);
});

test('a level that is full refuses with 429, a text and Retry-After, others go on', async () => {
  // with SQLite a write waits for its commit, so that writes meet
  const small = await startTestApi({
    datastoreEndpoint: '',
    apiServerArgs: readApiServerArgs([
      'max-requests-inflight=1',
      'max-mutating-requests-inflight=0',
    ]),
  });
  try {
    const user = await small.identity('jane', []);
    await small.kubectl(['create', 'clusterrolebinding', 'j', '--clusterrole=edit', '--user=jane']);
    const patched = await small.request(
      'PATCH',
      `${group}/prioritylevelconfigurations/global-default`,
      {
        body: {
          metadata: { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } },
          spec: { limited: { limitResponse: { type: 'Reject', queuing: null } } },
        },
        headers: { 'Content-Type': 'application/merge-patch+json' },
      },
    );
    assert.equal(patched.status, 200, patched.text);
    const write = (name: string, as: Identity | undefined): Promise<Answer> =>
      small.request('POST', '/api/v1/namespaces/default/configmaps', {
        body: { metadata: { name } },
        ...(as === undefined ? {} : { as }),
      });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => write(`c${i}`, user)));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0, 'none was refused');
    assert.ok(
      answers.some(({ status }) => status === 201),
      'all were refused',
    );
    const [first] = refused;
    assert.equal(first?.text, 'Too many requests, please try again later.\n');
    assert.equal(first.headers['content-type'], 'text/plain; charset=utf-8');
    assert.match(String(first.headers['retry-after']), /^\d+$/);
    assert.notEqual(first.headers['x-kubernetes-pf-flowschema-uid'], undefined);
    assert.equal((await write('admin', undefined)).status, 201);
    const metrics = (await small.request('GET', '/metrics')).text;
    assert.match(
      metrics,
      /^apiserver_request_terminations_total{code="429",component="apiserver",/m,
    );
    const labels = 'flow_schema="global-default",priority_level="global-default"';
    assert.match(
      metrics,
      new RegExp(`rejected_requests_total{${labels},reason="concurrency-limit"} ${refused.length}`),
    );
  } finally {
    await small.close();
  }
});

test('with priority and fairness off there are neither headers nor dumps', async () => {
  const plain = await startTestApi({
    apiServerArgs: readApiServerArgs(['enable-priority-and-fairness=false']),
  });
  try {
    const answer = await plain.request('GET', '/api/v1/pods');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-kubernetes-pf-flowschema-uid'], undefined);
    const dump = '/debug/api_priority_and_fairness/dump_queues';
    assert.equal((await plain.request('GET', dump)).status, 404);
  } finally {
    await plain.close();
  }
});
