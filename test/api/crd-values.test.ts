/** Nulls and unchanged invalid values of custom resources, as clients meet them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually } from '#base/eventually.ts';
import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

type Json = Record<string, unknown>;

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const things = '/apis/values.example/v1/namespaces/default/things';
let api: TestApi;

const keyedList = (items: Json, more: Json = {}): Json => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
  items: { type: 'object', required: ['k'], ...items },
  ...more,
});

function definition(properties: Json): Json {
  const spec = { type: 'object', properties };
  const openAPIV3Schema = { type: 'object', properties: { spec } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.values.example' },
    spec: {
      group: 'values.example',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

const thing = (name: string, spec: unknown): Json => ({
  apiVersion: 'values.example/v1',
  kind: 'Thing',
  metadata: { name },
  spec,
});
const create = async (name: string, spec: unknown): Promise<Answer> =>
  await api.request('POST', things, { body: thing(name, spec) });
const patch = async (type: string, name: string, body: unknown, query = ''): Promise<Answer> =>
  await api.request('PATCH', `${things}/${name}${query}`, {
    headers: { 'Content-Type': `application/${type}` },
    body,
  });
const apply = async (name: string, spec: unknown): Promise<Answer> =>
  await patch('apply-patch+yaml', name, thing(name, spec), '?fieldManager=applier');
const message = (answer: Answer): unknown => answer.at('message');

/** Changes the schema, and waits until new objects are judged by it. */
async function changeSchema(properties: Json, probe: (answer: Answer) => boolean): Promise<void> {
  const answer = await api.request('PATCH', `${definitions}/things.values.example`, {
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: { spec: definition(properties)['spec'] },
  });
  assert.equal(answer.status, 200, answer.text);
  const isNew = async (): Promise<boolean> =>
    probe(
      await api.request('POST', `${things}?dryRun=All`, { body: thing('probe', { s: 'long' }) }),
    );
  await eventually('judging by the new schema', isNew);
}

const free = {
  s: { type: 'string' },
  d: { type: 'string', default: 'x' },
  n: { type: 'string', nullable: true, default: 'x' },
  m: { type: 'object', additionalProperties: { type: 'string' } },
  l: { type: 'array', items: { type: 'string' } },
  i: { type: 'array', items: { type: 'string', default: 'x' } },
  o: { type: 'object', properties: { a: { type: 'boolean' } } },
  k: keyedList({ properties: { k: { type: 'string' }, v: { type: 'string' } } }),
};

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  const answer = await api.request('POST', definitions, { body: definition(free) });
  assert.equal(answer.status, 201, answer.text);
  await api.until(things, ({ status }) => status === 200);
});
after(() => api.close());

describe('nulls of clients', () => {
  it('give way to defaults, stay where they are allowed, else go', async () => {
    const spec = { s: null, d: null, n: null, m: { a: null, b: 'x' }, i: [null, 'y'] };
    const answer = await create('nulls', spec);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.at('spec'), { d: 'x', n: null, m: { b: 'x' }, i: ['x', 'y'] });
    const add = (path: string): Json => ({ op: 'add', path, value: null });
    const patched = await patch('json-patch+json', 'nulls', [add('/spec/s'), add('/spec/d')]);
    assert.deepEqual(patched.json, answer.json);
  });

  it('in lists are judged like values', async () => {
    const answer = await create('list', { l: [null] });
    assert.equal(answer.status, 422);
    assert.equal(
      message(answer),
      'Thing.values.example "list" is invalid: spec.l[0]: Invalid value: "null": spec.l[0] in body must be of type string: "null"',
    );
  });

  it('that are applied are judged, defaults first', async () => {
    const answer = await apply('applied', { s: null, d: null, n: null });
    assert.equal(
      message(answer),
      'Thing.values.example "applied" is invalid: spec.s: Invalid value: "null": spec.s in body must be of type string: "null"',
    );
    const allowed = await apply('applied', { d: null, n: null });
    assert.equal(allowed.status, 201, allowed.text);
    assert.deepEqual(allowed.at('spec'), { d: 'x', n: null });
  });

  it('take the place of what an apply has emptied', async () => {
    assert.equal((await apply('emptied', { o: { a: true } })).status, 201);
    const answer = await apply('emptied', { o: {} });
    assert.equal(answer.status, 422);
    assert.match(String(message(answer)), /spec.o in body must be of type object: "null"/);
    assert.equal((await apply('emptied', { s: 'x' })).status, 200);
  });
});

describe('items of one applier', () => {
  it('go with what others wrote into them, and can be applied again', async () => {
    assert.equal((await apply('items', { k: [{ k: 'a', v: '1' }, { k: 'b' }] })).status, 201);
    const edit = [{ op: 'replace', path: '/spec/k/0/v', value: '2' }];
    assert.equal((await patch('json-patch+json', 'items', edit)).status, 200);
    const left = await apply('items', { k: [{ k: 'b' }] });
    assert.deepEqual(left.at('spec.k'), [{ k: 'b' }]);
    const again = await apply('items', { k: [{ k: 'a' }] });
    assert.deepEqual(again.at('spec.k'), [{ k: 'a' }]);
  });
});

describe('values that a later schema forbids', () => {
  const short = { type: 'string', maxLength: 3 };
  const rule = { rule: "!has(self.v) || self.v != 'bad'", message: 'bad' };
  const grows = { rule: 'size(self) >= size(oldSelf)', message: 'shrinks' };
  const strict = {
    ...free,
    s: { ...short, 'x-kubernetes-validations': [grows] },
    l: { type: 'array', items: short },
    k: keyedList({
      properties: { k: { type: 'string' }, v: { type: 'string', maxLength: 20 } },
      'x-kubernetes-validations': [rule],
    }),
  };

  before(async () => {
    const spec = { s: 'long', l: ['long'], k: [{ k: 'a', v: 'bad' }, { k: 'b' }] };
    assert.equal((await create('old', spec)).status, 201);
    await changeSchema(strict, ({ status }) => status === 422);
  });

  it('stay as long as they do not change', async () => {
    const answer = await patch('merge-patch+json', 'old', { spec: { d: 'new' } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['warning'], '299 - "spec.k[0]: Invalid value: bad"');
  });

  it('are told apart by key in keyed lists, and not at all in others', async () => {
    const moved = await patch('merge-patch+json', 'old', {
      spec: { k: [{ k: 'c' }, { k: 'b' }, { k: 'a', v: 'bad' }] },
    });
    assert.equal(moved.status, 200, moved.text);
    const other = await patch('merge-patch+json', 'old', {
      spec: {
        k: [
          { k: 'a', v: 'bad' },
          { k: 'b', v: 'bad' },
        ],
      },
    });
    assert.equal(
      message(other),
      'Thing.values.example "old" is invalid: spec.k[1]: Invalid value: bad',
    );
    const list = await patch('merge-patch+json', 'old', { spec: { l: ['long', 'x'] } });
    assert.equal(
      message(list),
      'Thing.values.example "old" is invalid: [spec.l[0]: Too long: may not be more than 3 bytes, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
    );
  });

  it('cannot change into others, and rules about changes are never passed over', async () => {
    const other = await patch('merge-patch+json', 'old', { spec: { s: 'other' } });
    assert.equal(other.status, 422);
    const shorter = await patch('merge-patch+json', 'old', { spec: { s: 'x' } });
    assert.equal(
      message(shorter),
      'Thing.values.example "old" is invalid: spec.s: Invalid value: "x": shrinks',
    );
  });
});
