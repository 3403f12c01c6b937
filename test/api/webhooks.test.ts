/** Admission webhooks over real HTTPS: who is asked what, and what their answers do. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { FakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const configurations = '/apis/admissionregistration.k8s.io/v1';
const maps = '/api/v1/namespaces/hooks/configmaps';
const everything = {
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources: ['*/*'],
};
const mapRule = {
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
};

interface Request {
  readonly uid: string;
  readonly name?: string;
  readonly object: { metadata: { name?: string; labels?: Record<string, string> }; data?: unknown };
  readonly [field: string]: unknown;
}

type Verdict = Record<string, unknown>;

let api: TestApi;
let hook: FakeWebhook;
/** What webhooks answer, by path; absent paths allow everything. */
let answers: Record<string, (request: Request) => Verdict | undefined | Promise<undefined>>;
let reviews: { path: string; request: Request }[];

before(async () => {
  hook = await startFakeWebhook(async (call) => {
    const path = (call.path.split('?')[0] ?? '').slice(1);
    const { request, apiVersion, kind } = call.body as Record<string, unknown> & {
      request: Request;
    };
    reviews.push({ path, request });
    const answer = answers[path];
    const verdict = answer === undefined ? { allowed: true } : await answer(request);
    if (verdict === undefined) return undefined;
    return { apiVersion, kind, response: { uid: request.uid, ...verdict } };
  });
  api = await startTestApi({ disableControllerManager: true, disableScheduler: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'hooks' } } });
});

after(async () => {
  await api.close();
  await hook.close();
});

beforeEach(() => {
  answers = {};
  reviews = [];
});

afterEach(async () => {
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    await api.request('DELETE', `${configurations}/${kind}`);
  }
  await api.request('DELETE', maps);
});

/** The newest review about the namespace of these tests; the server writes elsewhere by itself. */
function lastHere(): Request | undefined {
  return reviews.findLast(({ request }) => request['namespace'] === 'hooks')?.request;
}

function webhook(path: string, changes: object = {}): object {
  return {
    name: `${path}.example.com`,
    clientConfig: { url: `${hook.url}/${path}`, caBundle: hook.caBundle },
    rules: [mapRule],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...changes,
  };
}

async function configure(
  kind: 'mutating' | 'validating',
  name: string,
  ...webhooks: object[]
): Promise<void> {
  const body = { metadata: { name }, webhooks };
  const answer = await api.request('POST', `${configurations}/${kind}webhookconfigurations`, {
    body,
  });
  assert.equal(answer.status, 201, answer.text);
}

function map(name: string, data: object = {}, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

const create = (name: string, data: object = {}, metadata: object = {}, query = '') =>
  api.request('POST', `${maps}${query}`, { body: map(name, data, metadata) });

function patchOf(...operations: object[]): Verdict {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch };
}

describe('reviews', () => {
  test('say everything about a create, an update and a delete', async () => {
    await configure('validating', 'all', webhook('all'));
    await create('told', { a: '1' }, { labels: { x: 'y' } }, '?fieldManager=me');
    await api.request('PUT', `${maps}/told`, { body: map('told', { a: '2' }) });
    await api.request('DELETE', `${maps}/told`, { body: { gracePeriodSeconds: 0 } });
    const [created, updated, deleted] = reviews.map((review) => review.request);
    const { uid, object, userInfo, ...rest } = created as Request;
    assert.match(uid, /^[0-9a-f-]{36}$/);
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
    const resource = { group: '', version: 'v1', resource: 'configmaps' };
    assert.deepEqual(rest, {
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'told',
      namespace: 'hooks',
      operation: 'CREATE',
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
    });
    assert.deepEqual([at(object, 'kind'), at(object, 'data.a')], ['ConfigMap', '1']);
    assert.match(String(at(object, 'metadata.uid')), /^[0-9a-f-]{36}$/);
    assert.equal(at(userInfo, 'username'), 'system:admin');
    assert.deepEqual(at(userInfo, 'groups'), ['system:masters', 'system:authenticated']);
    assert.deepEqual(
      [at(updated, 'oldObject.data.a'), at(updated, 'object.data.a'), at(updated, 'options.kind')],
      ['1', '2', 'UpdateOptions'],
    );
    assert.deepEqual(
      [at(deleted, 'operation'), at(deleted, 'object'), at(deleted, 'oldObject.data.a')],
      ['DELETE', null, '2'],
    );
    assert.deepEqual(at(deleted, 'options'), {
      kind: 'DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      gracePeriodSeconds: 0,
    });
  });

  test('are sent for subresources under their own kinds', async () => {
    const labels = { app: 'w' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const path = '/apis/apps/v1/namespaces/hooks/deployments';
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await api.request('POST', path, { body: { metadata: { name: 'w' }, spec } });
    await configure('validating', 'all', webhook('all', { rules: [everything] }));
    const merge = { 'Content-Type': 'application/merge-patch+json' };
    await api.request('PATCH', `${path}/w/scale`, {
      body: { spec: { replicas: 3 } },
      headers: merge,
    });
    const scale = lastHere();
    assert.deepEqual(at(scale, 'kind'), { group: 'autoscaling', version: 'v1', kind: 'Scale' });
    assert.deepEqual(
      [at(scale, 'subResource'), at(scale, 'requestSubResource')],
      ['scale', 'scale'],
    );
    assert.deepEqual(
      [at(scale, 'object.kind'), at(scale, 'object.spec')],
      ['Scale', { replicas: 3 }],
    );
    assert.deepEqual(at(scale, 'oldObject.spec'), { replicas: 1 });
    await api.request('PATCH', `${path}/w/status`, {
      body: { status: { replicas: 1 } },
      headers: merge,
    });
    const status = lastHere();
    assert.deepEqual(
      [at(status, 'subResource'), at(status, 'kind.kind')],
      ['status', 'Deployment'],
    );
    const token = '/api/v1/namespaces/hooks/serviceaccounts/none/token';
    await api.request('POST', '/api/v1/namespaces/hooks/serviceaccounts', {
      body: { metadata: { name: 'none' } },
    });
    await api.request('POST', token, { body: { spec: {} } });
    assert.equal(at(lastHere(), 'kind.kind'), 'TokenRequest');
    await api.request('DELETE', `${path}/w`);
  });

  test('show no name that is yet to be generated to those who may still change it', async () => {
    await configure('mutating', 'early', webhook('early'));
    await configure('validating', 'late', webhook('late'));
    await api.request('POST', maps, { body: { metadata: { generateName: 'made-' } } });
    const [early, late] = reviews.map((review) => review.request) as [Request, Request];
    assert.deepEqual([early.name, early.object.metadata.name], [undefined, undefined]);
    assert.match(late.name ?? '', /^made-[a-z0-9]{5}$/);
    assert.equal(late.object.metadata.name, late.name);
  });

  test('are sent for creates that store nothing', async () => {
    const rule = { ...everything, apiGroups: ['authorization.k8s.io'] };
    await configure('validating', 'all', webhook('all', { rules: [rule] }));
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const spec = { nonResourceAttributes: { path: '/x', verb: 'get' } };
    const answer = await api.request('POST', path, { body: { spec } });
    assert.equal(answer.at('status.allowed'), true);
    assert.deepEqual(
      reviews.map(({ request }) => at(request, 'kind.kind')),
      ['SelfSubjectAccessReview'],
    );
  });

  test('say what a connection asks for', async () => {
    await configure('validating', 'all', webhook('all', { rules: [everything] }));
    answers['all'] = (request) => ({ allowed: request['operation'] !== 'CONNECT' });
    const pod = '/api/v1/namespaces/hooks/pods';
    const body = { metadata: { name: 'talk' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await api.request('POST', '/api/v1/namespaces/hooks/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    const made = await api.request('POST', pod, { body });
    assert.equal(made.status, 201, made.text);
    await api.request('POST', `${pod}/talk/binding`, { body: { target: { name: 'node' } } });
    const { stderr } = await api.kubectl(['exec', '-n', 'hooks', 'talk', '--', 'ls', '-l']);
    assert.match(stderr, /admission webhook "all.example.com" denied the request/);
    const connect = reviews.findLast(({ request }) => request['operation'] === 'CONNECT')?.request;
    assert.deepEqual(
      ['kind.kind', 'subResource', 'name', 'options'].map((path) => at(connect, path)),
      ['PodExecOptions', 'exec', 'talk', null],
    );
    assert.deepEqual(at(connect, 'object.command'), ['ls', '-l']);
    await api.request('DELETE', `${configurations}/validatingwebhookconfigurations/all`);
    await api.request('DELETE', `${pod}/talk`, { body: { gracePeriodSeconds: 0 } });
  });

  test('are never sent for the configuration of admission itself', async () => {
    await configure('validating', 'all', webhook('all', { rules: [everything] }));
    await configure('mutating', 'more', webhook('more', { rules: [everything] }));
    assert.equal(reviews.length, 0);
  });

  test('follow selectors of objects, old and new, and of namespaces, their own labels too', async () => {
    await configure(
      'validating',
      'chosen',
      webhook('object', { objectSelector: { matchLabels: { on: 'true' } } }),
      webhook('namespace', {
        rules: [{ ...mapRule, resources: ['configmaps', 'namespaces'] }],
        namespaceSelector: { matchLabels: { team: 'a' } },
      }),
    );
    await create('plain');
    assert.deepEqual(
      reviews.map((review) => review.path),
      [],
    );
    await create('on', {}, { labels: { on: 'true' } });
    await api.request('PUT', `${maps}/on`, { body: map('on') });
    assert.deepEqual(
      reviews.map((review) => review.path),
      ['object', 'object'],
    );
    await api.request('POST', '/api/v1/namespaces', {
      body: { metadata: { name: 'team-a', labels: { team: 'a' } } },
    });
    await api.request('POST', '/api/v1/namespaces/team-a/configmaps', { body: map('inside') });
    const told = reviews
      .slice(2)
      .map(({ path, request }) => `${path} ${String(request['namespace'])}`);
    assert.deepEqual(told, ['namespace team-a', 'namespace team-a']);
  });
});

describe('match conditions', () => {
  const condition = (expression: string, index: number): object => ({
    name: `c${index}`,
    expression,
  });
  const check = "authorizer.group('').resource('pods').check('create').allowed()";
  const cases: [what: string, string[], called: number, error: RegExp | undefined][] = [
    ['all true', ["object.metadata.name == 'm'", 'oldObject == null'], 1, undefined],
    ['one false', ['true', "request.operation != 'CREATE'"], 0, undefined],
    ['false beside an error', ["object.none == ''", 'false'], 0, undefined],
    [
      'an error',
      ["object.none == ''", 'true'],
      0,
      /^configmaps "m" is forbidden: expression 'object.none == ''' resulted in error: no such key: none$/,
    ],
    ['what the user may do', [check], 1, undefined],
    [
      'more than one expression may cost',
      [[check, check, check].join(' && ')],
      0,
      /operation cancelled: actual cost limit exceeded$/,
    ],
    [
      'more than all may cost',
      Array.from({ length: 8 }, () => `${check} && ${check}`),
      0,
      /validation failed due to running out of cost budget, no further validation rules will be run$/,
    ],
  ];
  for (const [what, expressions, called, error] of cases) {
    test(`${what} decide whether a webhook is called`, async () => {
      const matchConditions = expressions.map(condition);
      await configure('validating', 'a', webhook('a', { matchConditions }));
      await configure('mutating', 'b', webhook('b', { matchConditions }));
      const answer = await create('m');
      assert.equal(answer.status, error === undefined ? 201 : 403);
      if (error !== undefined) assert.match(String(answer.at('message')), error);
      assert.equal(reviews.length, called * 2);
    });
  }

  test('that fail do not hold up a request whose webhook may be ignored', async () => {
    const matchConditions = [condition("object.none == ''", 0)];
    const change = { matchConditions, failurePolicy: 'Ignore' };
    await configure('validating', 'a', webhook('a', change));
    assert.equal((await create('m')).status, 201);
    assert.equal(reviews.length, 0);
  });

  test('that do not compile are refused', async () => {
    const webhooks = [webhook('a', { matchConditions: [condition('object.', 0)] })];
    const answer = await api.request('POST', `${configurations}/validatingwebhookconfigurations`, {
      body: { metadata: { name: 'a' }, webhooks },
    });
    assert.equal(answer.status, 422);
    assert.match(
      String(answer.at('message')),
      /webhooks\[0\].matchConditions\[0\].expression: Invalid value: "object.": compilation failed: ERROR/,
    );
  });
});

describe('refusals', () => {
  test('keep the message, code and reason of the webhook', async () => {
    await configure('validating', 'no', webhook('no'));
    const cases: [Verdict, number, string, string][] = [
      [{ status: { message: 'because' } }, 400, '', ': because'],
      [{ status: { code: 403, reason: 'Forbidden', message: 'no' } }, 403, 'Forbidden', ': no'],
      [{ status: { reason: 'Busy' } }, 400, 'Busy', ': Busy'],
      [{}, 400, '', ' without explanation'],
    ];
    for (const [verdict, status, reason, text] of cases) {
      answers['no'] = () => ({ allowed: false, ...verdict });
      const answer = await create('refused');
      assert.equal(answer.status, status);
      assert.equal(answer.at('reason') ?? '', reason);
      const denied = 'admission webhook "no.example.com" denied the request';
      assert.equal(answer.at('message'), `${denied}${text}`);
    }
    const { stderr } = await api.kubectl(['create', 'configmap', 'refused', '-n', 'hooks']);
    assert.match(stderr, /error: failed to create configmap: admission webhook "no.example.com"/);
  });

  test('of a delete leave the object there', async () => {
    await create('kept');
    answers['no'] = () => ({ allowed: false });
    await configure('validating', 'no', webhook('no'));
    assert.equal((await api.request('DELETE', `${maps}/kept`)).status, 400);
    assert.equal((await api.request('DELETE', maps)).status, 400);
    assert.equal((await api.request('GET', `${maps}/kept`)).status, 200);
  });
});

describe('webhooks that fail', () => {
  test('fail the request or not, as failurePolicy says', async () => {
    const nowhere = await startFakeWebhook(() => undefined);
    await nowhere.close();
    const clientConfig = { url: `${nowhere.url}/x`, caBundle: hook.caBundle };
    await configure('validating', 'gone', webhook('gone', { clientConfig }));
    const failed = await create('a');
    assert.equal(failed.status, 500);
    const dial = `dial tcp 127.0.0.1:${nowhere.port}: connect: connection refused`;
    const text = `failed calling webhook "gone.example.com": failed to call webhook: Post "${nowhere.url}/x?timeout=10s": ${dial}`;
    assert.equal(failed.at('message'), `Internal error occurred: ${text}`);
    assert.equal(failed.at('reason'), 'InternalError');
    assert.deepEqual(failed.at('details.causes'), [{ message: text }]);
    await api.request('DELETE', `${configurations}/validatingwebhookconfigurations/gone`);
    await configure(
      'validating',
      'gone',
      webhook('gone', { clientConfig, failurePolicy: 'Ignore' }),
    );
    await configure('mutating', 'gone', webhook('gone', { clientConfig, failurePolicy: 'Ignore' }));
    assert.equal((await create('a')).status, 201);
  });

  test('time out after timeoutSeconds', async () => {
    answers['slow'] = () => undefined;
    await configure('mutating', 'slow', webhook('slow', { timeoutSeconds: 1 }));
    const answer = await create('late');
    assert.equal(answer.status, 500);
    assert.match(String(answer.at('message')), /timeout=1s": context deadline exceeded$/);
  });

  test('are told apart when their answers are not valid', async () => {
    await configure('mutating', 'odd', webhook('odd'));
    const cases: [Verdict, RegExp][] = [
      [
        { uid: 'x' },
        /received invalid webhook response: expected response.uid="[0-9a-f-]{36}", got "x"$/,
      ],
      [{ patch: 'W10=' }, /webhook returned response.patch but not response.patchType$/],
      [{ patchType: 'JSONPatch' }, /webhook returned response.patchType but not response.patch$/],
      [
        { patch: 'W10=', patchType: 'Merge' },
        /webhook returned invalid response.patchType of "Merge"$/,
      ],
    ];
    for (const [verdict, text] of cases) {
      answers['odd'] = () => ({ allowed: true, ...verdict });
      const answer = await create('odd');
      assert.equal(answer.status, 500);
      assert.match(String(answer.at('message')), text);
    }
  });
});

describe('mutations', () => {
  test('happen one after the other, are defaulted, and can be refused by validation', async () => {
    const pods = { ...mapRule, resources: ['pods'] };
    const image = { op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 's' } };
    answers['first'] = () => patchOf(image);
    answers['second'] = (request) =>
      patchOf({
        op: 'add',
        path: '/metadata/annotations',
        value: { saw: String(at(request, 'object.spec.containers.1.terminationMessagePath')) },
      });
    await configure('mutating', 'b', webhook('second', { rules: [pods] }));
    await configure('mutating', 'a', webhook('first', { rules: [pods] }));
    const path = '/api/v1/namespaces/hooks/pods';
    await api.request('POST', '/api/v1/namespaces/hooks/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    const body = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const pod = await api.request('POST', path, { body });
    assert.equal(pod.status, 201, pod.text);
    assert.deepEqual(
      reviews.map((review) => review.path),
      ['first', 'second'],
    );
    assert.equal(pod.at('spec.containers.1.imagePullPolicy'), 'Always');
    assert.equal(pod.at('metadata.annotations.saw'), '/dev/termination-log');
    answers['second'] = () => patchOf({ op: 'add', path: '/spec/restartPolicy', value: 'Maybe' });
    const refused = await api.request('POST', path, { body: { ...body, metadata: { name: 'q' } } });
    assert.equal(refused.status, 422);
    assert.match(String(refused.at('message')), /spec.restartPolicy: Unsupported value: "Maybe"/);
  });

  test('are asked again when a later one changed the object and they want to know', async () => {
    answers['early'] = (request) =>
      request.object.metadata.labels?.['late'] === undefined
        ? { allowed: true }
        : patchOf({ op: 'add', path: '/data', value: { early: 'saw late' } });
    answers['late'] = () =>
      patchOf({ op: 'add', path: '/metadata/labels', value: { late: 'true' } });
    await configure(
      'mutating',
      'again',
      webhook('early', { reinvocationPolicy: 'IfNeeded' }),
      webhook('never'),
      webhook('late', { reinvocationPolicy: 'IfNeeded' }),
    );
    const answer = await create('twice');
    assert.equal(answer.at('data.early'), 'saw late');
    const asked = reviews.map((review) => review.path);
    assert.deepEqual(asked, ['early', 'never', 'late', 'early', 'late']);
  });

  test('that do not fit the object are an internal error; no change is no change', async () => {
    await configure('mutating', 'odd', webhook('odd'));
    answers['odd'] = () => patchOf({ op: 'remove', path: '/data/none' });
    assert.equal((await create('odd')).status, 500);
    answers['odd'] = () => patchOf();
    assert.equal((await create('odd')).status, 201);
    answers['odd'] = () => patchOf({ op: 'add', path: '/data', value: {} });
    const answer = await api.request('DELETE', `${maps}/odd`);
    assert.equal(
      answer.at('message'),
      'Internal error occurred: admission webhook "odd.example.com" attempted to modify the object, which is not supported for this operation',
    );
  });
});

describe('patches that no client could send', () => {
  const cases: [what: string, object, status: number, message: RegExp][] = [
    [
      'take the metadata away',
      { op: 'remove', path: '/metadata' },
      422,
      /name or generateName is required/,
    ],
    [
      'move the object',
      { op: 'replace', path: '/metadata/namespace', value: 'default' },
      400,
      /^the namespace of the provided object does not match the namespace sent on the request$/,
    ],
    [
      'make it something else',
      { op: 'replace', path: '', value: 'text' },
      500,
      /^Internal error occurred/,
    ],
    [
      'give a field another type',
      { op: 'add', path: '/data', value: 'x' },
      500,
      /^Internal error occurred/,
    ],
    [
      'change its kind',
      { op: 'replace', path: '/kind', value: 'Secret' },
      500,
      /^Internal error occurred/,
    ],
    ['leave nothing', { op: 'replace', path: '', value: null }, 500, /^Internal error occurred/],
  ];
  for (const [what, operation, status, message] of cases) {
    test(`${what} without harm`, async () => {
      answers['odd'] = () => patchOf(operation);
      await configure('mutating', 'odd', webhook('odd'));
      const answer = await create('odd', { a: '1' });
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.at('message')), message);
    });
  }

  test('rename nothing that exists', async () => {
    await create('named', { a: '1' });
    answers['odd'] = () => patchOf({ op: 'replace', path: '/metadata/name', value: 'other' });
    await configure('mutating', 'odd', webhook('odd'));
    const answer = await api.request('PUT', `${maps}/named`, { body: map('named', { a: '2' }) });
    assert.notEqual(answer.status, 200);
    assert.equal((await api.request('GET', `${maps}/other`)).status, 404);
  });
});

describe('dry runs and warnings', () => {
  test('a webhook with side effects refuses dry runs', async () => {
    await configure('validating', 'pure', webhook('pure', { sideEffects: 'NoneOnDryRun' }));
    assert.equal((await create('a', {}, {}, '?dryRun=All')).status, 201);
    assert.deepEqual(
      [at(reviews[0]?.request, 'dryRun'), at(reviews[0]?.request, 'options.dryRun')],
      [true, ['All']],
    );
  });

  test('calls are counted', async () => {
    answers['counted'] = (request) => ({ allowed: request.name !== 'no' });
    await configure('validating', 'counted', webhook('counted'));
    await create('yes');
    await create('no');
    const { text } = await api.request('GET', '/metrics');
    const labels = 'name="counted.example.com",operation="CREATE"';
    for (const line of [
      `apiserver_admission_webhook_admission_duration_seconds_count{${labels},rejected="false",type="validating"} 1`,
      `apiserver_admission_webhook_request_total{code="400",${labels},rejected="true",type="validating"} 1`,
      `apiserver_admission_webhook_rejection_count{error_type="no_error",${labels},rejection_code="400",type="validating"} 1`,
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  test('warnings reach the user', async () => {
    answers['warn'] = () => ({ allowed: true, warnings: ['mind the gap'] });
    await configure('mutating', 'warn', webhook('warn'));
    assert.deepEqual((await create('warned')).warnings, ['mind the gap']);
    const { stderr } = await api.kubectl(['label', 'configmap', 'warned', '-n', 'hooks', 'a=b']);
    assert.equal(stderr, 'Warning: mind the gap\n');
  });
});

describe('custom resources', () => {
  const widgets = '/apis/example.com/v1/namespaces/hooks/widgets';
  const version = (name: string, storage: boolean): object => ({
    name,
    served: true,
    storage,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { size: { type: 'integer' }, color: { type: 'string', default: 'red' } },
          },
        },
      },
    },
  });

  before(async () => {
    await api.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        metadata: { name: 'widgets.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
          versions: [version('v1', true), version('v1beta1', false)],
        },
      },
    });
    await api.until(widgets, (answer) => answer.status === 200);
  });

  test('are shown in the version that the rule names, and mutated through it', async () => {
    answers['old'] = (request) =>
      patchOf({
        op: 'add',
        path: '/spec/size',
        value: Number(at(request, 'object.spec.size')) + 1,
      });
    const rule = {
      operations: ['CREATE'],
      apiGroups: ['example.com'],
      apiVersions: ['v1beta1'],
      resources: ['widgets'],
    };
    await configure('mutating', 'old', webhook('old', { rules: [rule] }));
    const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
    const answer = await api.request('POST', widgets, { body: { ...body, spec: { size: 1 } } });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.at('spec'), { size: 2, color: 'red' });
    assert.equal(answer.at('apiVersion'), 'example.com/v1');
    const [review] = reviews;
    assert.equal(at(review?.request, 'object.apiVersion'), 'example.com/v1beta1');
    assert.deepEqual(
      [at(review?.request, 'resource.version'), at(review?.request, 'requestResource.version')],
      ['v1beta1', 'v1'],
    );
    await configure('mutating', 'exact', webhook('exact', { rules: [rule], matchPolicy: 'Exact' }));
    await api.request('POST', widgets, { body: { ...body, metadata: { name: 'x' } } });
    assert.deepEqual(
      reviews.filter(({ path }) => path === 'exact'),
      [],
    );
  });
});
