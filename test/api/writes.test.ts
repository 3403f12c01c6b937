/** Create, update and every kind of patch: answers, conflicts, owners of fields. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const maps = '/api/v1/namespaces/writes/configmaps';
const deployments = '/apis/apps/v1/namespaces/writes/deployments';
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'writes' } } });
});

after(() => api.close());

function map(name: string, data: object = {}, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

function deployment(name: string): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}

async function patch(type: string, path: string, body: unknown): Promise<Answer> {
  const media = type === 'apply' ? 'apply-patch+yaml' : `${type}-patch+json`;
  return await api.request('PATCH', path, {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Content-Type': `application/${media}` },
  });
}

describe('create', () => {
  test('generateName makes names of their own', async () => {
    const body = { metadata: { generateName: 'made-' } };
    const [first, second] = [
      await api.request('POST', maps, { body }),
      await api.request('POST', maps, { body }),
    ];
    assert.match(String(first.at('metadata.name')), /^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    assert.notEqual(first.at('metadata.name'), second.at('metadata.name'));
  });

  test('a trial has the answer of a write, and no effect', async () => {
    const answer = await api.request('POST', `${maps}?dryRun=All`, { body: map('trial') });
    assert.equal(answer.status, 201);
    assert.match(String(answer.at('metadata.uid')), /^[0-9a-f-]{36}$/);
    assert.equal((await api.request('GET', `${maps}/trial`)).status, 404);
  });

  test('what is there already gets 409, what has a version 500', async () => {
    await api.request('POST', maps, { body: map('twice') });
    const again = await api.request('POST', maps, { body: map('twice') });
    assert.deepEqual(
      [again.status, again.at('reason'), again.at('message')],
      [409, 'AlreadyExists', 'configmaps "twice" already exists'],
    );
    const versioned = map('versioned', {}, { resourceVersion: '5' });
    const answer = await api.request('POST', maps, { body: versioned });
    assert.deepEqual(
      [answer.status, answer.at('message')],
      [500, 'resourceVersion should not be set on objects to be created'],
    );
  });

  test('unknown and duplicate fields: refused, told or passed over', async () => {
    const text = '{"metadata":{"name":"odd","bar":1},"foo":1,"data":{"a":"1","a":"2"}}';
    const findings = [
      'duplicate field "data.a"',
      'unknown field "metadata.bar"',
      'unknown field "foo"',
    ];
    const post = (mode: string): Promise<Answer> =>
      api.request('POST', `${maps}?dryRun=All&fieldValidation=${mode}`, { body: text });
    const strict = await post('Strict');
    assert.equal(strict.status, 400);
    const message = String(strict.at('message'));
    assert.ok(message.startsWith('ConfigMap in version "v1" cannot be handled as a ConfigMap: '));
    for (const finding of findings) assert.ok(message.includes(finding), message);
    const warned = await post('Warn');
    assert.equal(warned.status, 201);
    assert.deepEqual([...warned.warnings].sort(), [...findings].sort());
    assert.deepEqual((await post('Ignore')).warnings, []);
    assert.equal((await post('Some')).status, 422);
  });

  test('the field manager is the one named, or the start of the user agent', async () => {
    const named = await api.request('POST', `${maps}?fieldManager=me`, {
      body: map('m1', { a: '1' }),
    });
    const agent = await api.request('POST', maps, {
      body: map('m2', { a: '1' }),
      headers: { 'User-Agent': 'tool/1.2 (linux)' },
    });
    assert.equal(named.at('metadata.managedFields.0.manager'), 'me');
    assert.equal(agent.at('metadata.managedFields.0.manager'), 'tool');
    for (const manager of ['x'.repeat(129), '%07']) {
      const answer = await api.request('POST', `${maps}?fieldManager=${manager}`, {
        body: map('m3'),
      });
      assert.deepEqual([answer.status, answer.at('details.causes.0.field')], [422, 'fieldManager']);
    }
  });

  test('YAML goes in and comes out as Go reads and writes it', async () => {
    const body = 'metadata:\n  name: yaml\ndata:\n  "on": "yes"\n  time: "2026-11-21T12:00:00Z"\n';
    const headers = { 'Content-Type': 'application/yaml', Accept: 'application/yaml' };
    const answer = await api.request('POST', maps, { body, headers });
    assert.equal(answer.status, 201);
    assert.match(answer.text, /^apiVersion: v1\ndata:\n {2}"on": "yes"\n {2}time: "2026-/);
    assert.match(answer.text, /\n {2}managedFields:\n {2}- apiVersion: v1\n/);
  });
});

describe('update', () => {
  test('an old version is a conflict, none is not', async () => {
    const made = await api.request('POST', maps, { body: map('u') });
    const resourceVersion = made.at('metadata.resourceVersion');
    const put = (metadata: object, data: object): Promise<Answer> =>
      api.request('PUT', `${maps}/u`, { body: map('u', data, metadata) });
    assert.equal((await put({ resourceVersion }, { a: '1' })).status, 200);
    const stale = await put({ resourceVersion }, { a: '2' });
    assert.deepEqual(
      [stale.status, stale.at('message')],
      [
        409,
        'Operation cannot be fulfilled on configmaps "u": the object has been modified; please apply your changes to the latest version and try again',
      ],
    );
    assert.equal((await put({}, { a: '3' })).status, 200);
    assert.equal((await put({ uid: 'other' }, { a: '4' })).status, 409);
    assert.equal((await put({ namespace: 'other' }, {})).status, 400);
  });

  test('no difference is no write', async () => {
    const made = await api.request('POST', maps, { body: map('same', { a: '1' }) });
    const again = await api.request('PUT', `${maps}/same`, { body: map('same', { a: '1' }) });
    assert.equal(again.at('metadata.resourceVersion'), made.at('metadata.resourceVersion'));
  });

  test('some kinds are created by an update, and some need a version', async () => {
    assert.equal((await api.request('PUT', `${maps}/none`, { body: map('none') })).status, 404);
    const path = '/apis/coordination.k8s.io/v1/namespaces/writes/leases/l';
    const body = { metadata: { name: 'l' } };
    assert.equal((await api.request('PUT', path, { body })).status, 201);
    const again = await api.request('PUT', path, { body });
    assert.equal(
      again.at('message'),
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });
});

describe('patches', () => {
  before(async () => {
    await api.request('POST', maps, { body: map('p', { a: '1' }) });
  });

  test('each kind of patch changes what it says', async () => {
    const path = `${maps}/p`;
    await patch('json', path, [{ op: 'add', path: '/data/b', value: '2' }]);
    await patch('merge', path, { data: { c: '3' } });
    const answer = await patch('strategic-merge', path, { data: { a: null } });
    assert.deepEqual(answer.at('data'), { b: '2', c: '3' });
  });

  test('a JSON patch that does not fit gets 422, a body that is none 400', async () => {
    const path = `${maps}/p`;
    for (const operation of [
      { op: 'test', path: '/data/b', value: 'other' },
      { op: 'remove', path: '/data/none' },
      { op: 'replace', path: '/data/none', value: 'x' },
      { op: 'jump', path: '/data/b' },
    ]) {
      const answer = await patch('json', path, [operation]);
      assert.deepEqual(
        [answer.status, answer.at('reason'), answer.at('message')],
        [422, 'Invalid', 'the server rejected our request due to an error in our request'],
      );
    }
    for (const [type, body] of [
      ['json', 'x'],
      ['json', '{}'],
      ['merge', 'x'],
      ['strategic-merge', '[]'],
    ] as const) {
      assert.equal((await patch(type, path, body)).status, 400, `${type} ${body}`);
    }
    assert.equal((await patch('merge', `${maps}/none`, {})).status, 404);
    assert.equal((await patch('other', path, {})).status, 415);
    const forced = await patch('merge', `${path}?force=true`, {});
    assert.equal(forced.at('details.causes.0.field'), 'force');
  });

  test('a version in a patch must be the stored one, many patches at once all count', async () => {
    const stale = await patch('merge', `${maps}/p`, { metadata: { resourceVersion: '1' } });
    assert.equal(stale.status, 409);
    await api.request('POST', deployments, { body: deployment('busy') });
    const busy = `${deployments}/busy`;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => [
        patch('merge', `${busy}/status`, { status: { replicas: index } }),
        patch('merge', `${busy}/scale`, { spec: { replicas: index } }),
        patch('merge', busy, { metadata: { labels: { [`l${index}`]: 'x' } } }),
      ]).flat(),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const live = await api.request('GET', busy);
    assert.equal(Object.keys(live.at('metadata.labels') as object).length, 30);
  });

  test('managed fields are reset by a list of one empty entry, not by an empty list', async () => {
    await api.request('POST', maps, { body: map('reset', { a: '1' }) });
    const path = `${maps}/reset`;
    const kept = await patch('merge', path, { metadata: { managedFields: [] } });
    assert.equal(kept.at('metadata.managedFields.0.manager'), 'api-test');
    const gone = await patch('merge', path, { metadata: { managedFields: [{}] } });
    assert.equal(gone.at('metadata.managedFields'), undefined);
  });
});

describe('apply', () => {
  const path = `${maps}/applied`;

  test('creates, and asks who applies', async () => {
    const nobody = await patch('apply', path, map('applied'));
    assert.deepEqual([nobody.status, nobody.at('details.causes.0.field')], [422, 'fieldManager']);
    const made = await patch(
      'apply',
      `${path}?fieldManager=one`,
      map('applied', { x: '1', y: '1' }),
    );
    assert.equal(made.status, 201);
    assert.equal(made.at('metadata.managedFields.0.operation'), 'Apply');
  });

  test('a field of another is a conflict, force takes it over', async () => {
    const wanted = map('applied', { x: '2' });
    const refused = await patch('apply', `${path}?fieldManager=two`, wanted);
    assert.deepEqual(
      [refused.status, refused.at('message'), refused.at('details.causes')],
      [
        409,
        'Apply failed with 1 conflict: conflict with "one": .data.x',
        [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.x' }],
      ],
    );
    const both = await patch(
      'apply',
      `${path}?fieldManager=two`,
      map('applied', { x: '2', y: '2' }),
    );
    assert.equal(
      both.at('message'),
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.y',
    );
    const forced = await patch('apply', `${path}?fieldManager=two&force=true`, wanted);
    assert.deepEqual(forced.at('data'), { x: '2', y: '1' });
  });

  test('what its last owner no longer applies goes', async () => {
    const answer = await patch('apply', `${path}?fieldManager=one`, map('applied'));
    assert.deepEqual(answer.at('data'), { x: '2' });
    const same = await patch('apply', `${path}?fieldManager=one`, map('applied'));
    assert.equal(same.at('metadata.resourceVersion'), answer.at('metadata.resourceVersion'));
  });

  test('bodies that cannot be applied are refused', async () => {
    const cases: [body: unknown, message: RegExp][] = [
      [{ kind: 'ConfigMap' }, /^Incorrect version specified in apply patch/],
      [{ kind: 'Secret', apiVersion: 'v1' }, /^invalid object type: \/v1, Kind=Secret$/],
      [map('applied', {}, { managedFields: [{}] }), /^metadata.managedFields must be nil$/],
      [map('other'), /^the name of the object \(other\) does not match the name on the URL/],
      ['a: [', /^error decoding YAML: /],
    ];
    for (const [body, message] of cases) {
      const answer = await patch('apply', `${path}?fieldManager=one`, body);
      assert.equal(answer.status, 400);
      assert.match(String(answer.at('message')), message);
    }
  });
});

describe('subresources', () => {
  before(async () => {
    await api.request('POST', deployments, { body: deployment('sub') });
  });
  const path = `${deployments}/sub`;
  const scale = (replicas: number, metadata: object = {}): object => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'sub', ...metadata },
    spec: { replicas },
  });

  test('scale is read, replaced, patched and applied', async () => {
    const shown = await api.request('GET', `${path}/scale`);
    assert.deepEqual(
      [shown.at('kind'), shown.at('spec'), shown.at('status.selector')],
      ['Scale', { replicas: 1 }, 'app=sub'],
    );
    const put = (body: object): Promise<Answer> => api.request('PUT', `${path}/scale`, { body });
    assert.equal((await put(scale(2))).at('spec.replicas'), 2);
    assert.equal((await put(scale(3, { resourceVersion: '1' }))).status, 409);
    assert.match((await put(scale(-1))).text, /spec.replicas: Invalid value: -1: must be greater/);
    assert.equal((await patch('merge', `${path}/scale`, { spec: { replicas: 4 } })).status, 200);
    const conflict = await patch('apply', `${path}/scale?fieldManager=hpa`, scale(5));
    assert.match(
      String(conflict.at('message')),
      /conflict with "api-test" with subresource "scale"/,
    );
    const forced = await patch('apply', `${path}/scale?fieldManager=hpa&force=true`, scale(5));
    assert.deepEqual([forced.at('kind'), forced.at('spec.replicas')], ['Scale', 5]);
    const live = await api.request('GET', path);
    const owners = (live.at('metadata.managedFields') as object[]).map(
      (entry) => `${String(at(entry, 'manager'))} ${String(at(entry, 'subresource') ?? '')}`,
    );
    assert.ok(owners.includes('hpa scale'), String(owners));
  });

  test('status and spec are written apart, the generation counts the spec only', async () => {
    const before = await api.request('GET', path);
    const status = await patch('merge', `${path}/status`, {
      spec: { replicas: 9 },
      status: { replicas: 7 },
    });
    assert.deepEqual([status.at('spec.replicas'), status.at('status.replicas')], [5, 7]);
    assert.equal(status.at('metadata.generation'), before.at('metadata.generation'));
    const spec = await patch('merge', path, { spec: { replicas: 6 }, status: { replicas: 1 } });
    assert.deepEqual([spec.at('spec.replicas'), spec.at('status.replicas')], [6, 7]);
    assert.equal(spec.at('metadata.generation'), Number(before.at('metadata.generation')) + 1);
  });
});
