/** Other authorizers than the roles: webhooks, by flags and by file, and what reviews say of them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { FakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import { systemClock } from '#base/clock.ts';
import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import { at } from './answer.ts';
import type { Identity, TestApi } from './server.ts';
import { startTestApi, untilMs } from './server.ts';

const authorization = '/apis/authorization.k8s.io/v1';
let folder: string;
let webhook: FakeWebhook;
let kubeconfig: string;
let isBroken = false;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k3ts-authz-'));
  webhook = await startFakeWebhook(({ body }, response) => {
    if (isBroken) {
      response.writeHead(400).end('{}');
      return undefined;
    }
    const { user, resourceAttributes } = (
      body as { spec: { user: string; resourceAttributes?: { resource: string } } }
    ).spec;
    const isSecret = resourceAttributes?.resource === 'secrets';
    const status = isSecret
      ? { allowed: false, denied: true, reason: 'secrets are secret' }
      : { allowed: user === 'wanda', reason: user === 'wanda' ? 'wanda may' : 'not you' };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status };
  });
  kubeconfig = join(folder, 'webhook.yaml');
  const cluster = { server: webhook.url, 'certificate-authority-data': webhook.caBundle };
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'w', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
      'current-context': 'c',
    }),
  );
});
after(async () => {
  await webhook.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<TestApi> {
  return await startTestApi({
    disableScheduler: true,
    disableControllerManager: true,
    apiServerArgs: readApiServerArgs(args),
  });
}

const specs = (): unknown[] => webhook.calls.map(({ body }) => at(body, 'spec'));

describe('a webhook by flags', () => {
  let api: TestApi;
  let wanda: Identity;
  let joe: Identity;

  before(async () => {
    api = await start(
      'authorization-mode=Node,RBAC,Webhook',
      `authorization-webhook-config-file=${kubeconfig}`,
      'authorization-webhook-version=v1',
    );
    wanda = await api.identity('wanda', ['w']);
    joe = await api.identity('joe');
  });
  after(() => api?.close());

  test('is asked for what nobody else decided, once', async () => {
    webhook.calls.length = 0;
    const path = '/api/v1/namespaces/default/pods?labelSelector=app%3Dx,tier!%3Dy';
    assert.equal((await api.request('GET', path, { as: wanda })).status, 200);
    assert.equal((await api.request('GET', path, { as: wanda })).status, 200);
    const [spec, ...more] = specs() as { extra?: object }[];
    assert.equal(more.length, 0);
    const { extra, ...rest } = spec ?? {};
    assert.ok(Object.hasOwn(extra ?? {}, 'authentication.kubernetes.io/credential-id'));
    assert.deepEqual(rest, {
      resourceAttributes: {
        namespace: 'default',
        verb: 'list',
        version: 'v1',
        resource: 'pods',
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'In', values: ['x'] },
            { key: 'tier', operator: 'NotIn', values: ['y'] },
          ],
        },
      },
      user: 'wanda',
      groups: ['w', 'system:authenticated'],
    });
    await api.request('GET', '/metrics', { as: wanda });
    assert.deepEqual(at(specs().at(-1), 'nonResourceAttributes'), {
      path: '/metrics',
      verb: 'get',
    });
    webhook.calls.length = 0;
    assert.equal((await api.request('GET', path)).status, 200);
    assert.equal(webhook.calls.length, 0, 'system:masters is never in question');
  });

  test('gives the reason of a refusal', async () => {
    const refused = await api.request('GET', '/api/v1/namespaces/default/pods', { as: joe });
    assert.equal(
      at(refused.json, 'message'),
      'pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default": not you',
    );
    const denied = await api.request('POST', `${authorization}/subjectaccessreviews`, {
      body: {
        spec: { user: 'wanda', resourceAttributes: { verb: 'get', resource: 'secrets' } },
      },
    });
    assert.deepEqual(at(denied.json, 'status'), {
      allowed: false,
      denied: true,
      reason: 'secrets are secret',
    });
  });

  test('makes a list of rules incomplete', async () => {
    const rules = await api.request('POST', `${authorization}/selfsubjectrulesreviews`, {
      as: joe,
      headers: {},
      body: { spec: { namespace: 'default' } },
    });
    assert.equal(at(rules.json, 'status.incomplete'), true);
    assert.match(
      String(at(rules.json, 'status.evaluationError')),
      /webhook authorizer does not support user rule resolution/,
    );
    const listed = await api.kubectl(['auth', 'can-i', '--list', '--as', 'joe']);
    assert.match(
      listed.stderr,
      /the list may be incomplete: .*webhook authorizer does not support/,
    );
    assert.match(listed.stdout, /selfsubjectreviews\.authentication\.k8s\.io/);
  });

  test('that fails leaves it to the others; what they do not allow fails as well', async () => {
    isBroken = true;
    try {
      const nobody = await api.identity('nobody-yet');
      const answer = await api.request('GET', '/api/v1/nodes', { as: nobody });
      assert.equal(answer.status, 500);
      const why = 'the server rejected our request for an unknown reason';
      assert.equal(answer.text, `Internal Server Error: "/api/v1/nodes": ${why}\n`);
      const review = await api.request('POST', `${authorization}/selfsubjectaccessreviews`, {
        as: nobody,
        body: { spec: { resourceAttributes: { verb: 'list', resource: 'secrets' } } },
      });
      assert.deepEqual(at(review.json, 'status'), { allowed: false, evaluationError: why });
      const admin = await api.request('GET', '/api/v1/nodes');
      assert.equal(admin.status, 200);
    } finally {
      isBroken = false;
    }
  });
});

describe('an AuthorizationConfiguration', () => {
  let api: TestApi;
  let file: string;
  const configuration = (failurePolicy: string, ...more: object[]): string =>
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthorizationConfiguration',
      authorizers: [
        {
          type: 'Webhook',
          name: 'first',
          webhook: {
            timeout: '3s',
            authorizedTTL: '1m',
            unauthorizedTTL: '1m',
            cacheUnauthorizedRequests: false,
            subjectAccessReviewVersion: 'v1',
            matchConditionSubjectAccessReviewVersion: 'v1',
            failurePolicy,
            connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig },
            matchConditions: [
              { expression: 'has(request.resourceAttributes)' },
              { expression: 'request.resourceAttributes.namespace == "guarded"' },
              { expression: '!("exempt" in request.groups)' },
            ],
          },
        },
        { type: 'Node', name: 'node' },
        { type: 'RBAC', name: 'rbac' },
        ...more,
      ],
    });

  before(async () => {
    file = join(folder, 'authorization.json');
    await writeFile(file, configuration('Deny'));
    api = await start(`authorization-config=${file}`);
    await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'guarded' } } });
    await api.request('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      body: {
        metadata: { name: 'editors' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
        subjects: [{ kind: 'Group', name: 'editors', apiGroup: 'rbac.authorization.k8s.io' }],
      },
    });
  });
  after(() => api?.close());

  test('asks a webhook before the roles where its conditions hold', async () => {
    webhook.calls.length = 0;
    const editor = await api.identity('eve', ['editors']);
    assert.equal(
      (await api.request('GET', '/api/v1/namespaces/default/secrets', { as: editor })).status,
      200,
    );
    assert.equal(webhook.calls.length, 0);
    const guarded = await api.request('GET', '/api/v1/namespaces/guarded/secrets', { as: editor });
    assert.equal(guarded.status, 403);
    assert.match(String(at(guarded.json, 'message')), /: secrets are secret$/);
    assert.equal(webhook.calls.length, 1);
    const exempt = await api.identity('xen', ['editors', 'exempt']);
    const passed = await api.request('GET', '/api/v1/namespaces/guarded/secrets', { as: exempt });
    assert.equal(passed.status, 200);
    assert.equal(webhook.calls.length, 1);
    const { text } = await api.request('GET', '/metrics');
    const of = (name: string): number => {
      const line = text
        .split('\n')
        .find((one) => one.startsWith(`apiserver_authorization_${name} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    assert.equal(of('webhook_evaluations_total{name="first",result="success"}'), 1);
    assert.equal(of('decisions_total{decision="denied",name="first",type="Webhook"}'), 1);
    assert.ok(of('decisions_total{decision="allowed",name="rbac",type="RBAC"}') >= 2);
    assert.ok(of('match_condition_exclusions_total{name="first",type="Webhook"}') >= 2);
  });

  test('lets nobody in when the webhook fails, if it says so', async () => {
    isBroken = true;
    try {
      const editor = await api.identity('eve', ['editors']);
      const path = '/api/v1/namespaces/guarded/configmaps';
      assert.equal((await api.request('GET', path, { as: editor })).status, 500);
    } finally {
      isBroken = false;
    }
  });

  test('is read again when it changes', async () => {
    const anybody = await api.identity('anybody');
    const status = async (): Promise<number> =>
      (await api.request('GET', '/api/v1/nodes', { as: anybody })).status;
    assert.equal(await status(), 403);
    await writeFile(file, configuration('Deny', { type: 'AlwaysAllow', name: 'all' }));
    const end = systemClock.monotonicMs() + untilMs;
    while ((await status()) !== 200) {
      assert.ok(systemClock.monotonicMs() < end, 'the change takes effect');
      await systemClock.sleep(30);
    }
    const { text } = await api.request('GET', '/metrics');
    const name = 'apiserver_authorization_config_controller_automatic_reloads_total';
    assert.match(
      text,
      new RegExp(`^${name}\\{apiserver_id_hash="sha256:[0-9a-f]{64}",status="success"\\} 1$`, 'm'),
    );
  });
});

test('wrong arguments end the start with what is wrong', async () => {
  const file = join(folder, 'wrong.yaml');
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n';
  const wrong: [string[], string, RegExp][] = [
    [['authorization-mode=Webhook'], '', /Webhook's authorization config file not passed/],
    [[`authorization-webhook-config-file=${kubeconfig}`], '', /without mode Webhook/],
    [
      [`authorization-config=${file}`, 'authorization-mode=RBAC'],
      '',
      /--authorization-config can not be specified when/,
    ],
    [[`authorization-config=${file}`], head, /authorizers: Required value: at least one/],
    [
      [`authorization-config=${file}`],
      `${head}authorizers:\n- {type: Webhook, name: w, webhook: {failurePolicy: Maybe, timeout: 60s}}\n- {type: Magic, name: m}\n`,
      /timeout: Invalid value: "60s": must be > 0s and <= 30s.*failurePolicy: Unsupported value: "Maybe": supported values: "NoOpinion", "Deny".*type: Unsupported value: "Magic"/,
    ],
  ];
  for (const [args, text, why] of wrong) {
    await writeFile(file, text);
    await assert.rejects(start(...args), why);
  }
  assert.throws(() => readApiServerArgs(['authorization-mode=Magic']), /must be one of/);
});

describe('a policy file', () => {
  test('allows by attributes what roles do not', async (t) => {
    const file = join(folder, 'policies.jsonl');
    const spec = { user: 'bob', namespace: 'default', resource: 'pods', readonly: true };
    const apiVersion = 'abac.authorization.kubernetes.io/v1beta1';
    await writeFile(file, `# reads\n${JSON.stringify({ apiVersion, kind: 'Policy', spec })}\n`);
    const api = await start(
      'authorization-mode=Node,RBAC,ABAC',
      `authorization-policy-file=${file}`,
    );
    t.after(() => api.close());
    const bob = await api.identity('bob');
    const pods = '/api/v1/namespaces/default/pods';
    assert.equal((await api.request('GET', pods, { as: bob })).status, 200);
    const refused = await api.request('DELETE', `${pods}/x`, { as: bob });
    assert.equal(
      at(refused.json, 'message'),
      'pods "x" is forbidden: User "bob" cannot delete resource "pods" in API group "" in the namespace "default": No policy matched.',
    );
    const listed = await api.kubectl(['auth', 'can-i', '--list', '--as', 'bob']);
    assert.match(listed.stdout, /^pods +\[\] +\[\] +\[get list watch\]$/m);
  });

  test('goes with its mode', async () => {
    await assert.rejects(start('authorization-mode=RBAC,ABAC'), {
      message: "authorization-mode ABAC's authorization policy file not passed",
    });
    await assert.rejects(start('authorization-policy-file=/nowhere'), {
      message: 'cannot specify --authorization-policy-file without mode ABAC',
    });
  });
});
