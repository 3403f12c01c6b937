/**
 * What every kind has in common, told as upstream's API server tells it: options of reads, writes
 * and deletes, what patches may do, what an apply checks.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import { startTestApi, type TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
});
after(async () => await api.close());

const core = '/api/v1/namespaces/default';
const maps = `${core}/configmaps`;
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

const map = (name: string, data: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const make = async (name: string, data: object = {}, metadata: object = {}): Promise<Answer> => {
  const answer = await api.request('POST', maps, { body: map(name, data, metadata) });
  assert.equal(answer.status, 201, answer.text);
  return answer;
};
const patch = async (
  type: 'json' | 'merge' | 'strategic-merge',
  path: string,
  body: unknown,
): Promise<Answer> => {
  const headers = { 'Content-Type': `application/${type}-patch+json` };
  return await api.request('PATCH', path, { body, headers });
};
const apply = async (path: string, body: unknown, query = '?fieldManager=m'): Promise<Answer> => {
  const headers = { 'Content-Type': 'application/apply-patch+yaml' };
  return await api.request('PATCH', path + query, { body, headers });
};
const told = (answer: Answer): unknown[] => [
  answer.status,
  answer.at('reason') ?? '',
  answer.at('message'),
];

const syntax = (text: string): string => `strconv.ParseUint: parsing "${text}": invalid syntax`;

describe('options of reads', () => {
  test('a version that is none is told by each verb in its own way', async () => {
    await make('read');
    const text = `resourceVersion: Invalid value: "abc": ${syntax('abc')}`;
    const ask = async (path: string): Promise<unknown[]> => told(await api.request('GET', path));
    assert.deepEqual(await ask(`${maps}?resourceVersion=abc`), [
      400,
      'BadRequest',
      `invalid resource version: ${text}`,
    ]);
    assert.deepEqual(await ask(`${maps}/read?resourceVersion=abc`), [500, '', text]);
    assert.deepEqual(await ask(`${maps}?watch=1&resourceVersion=abc`), [500, '', text]);
  });

  test('numbers must be numbers that fit', async () => {
    const cases = [
      ['limit=', 'strconv.ParseInt: parsing "": invalid syntax'],
      ['limit=1.5', 'strconv.ParseInt: parsing "1.5": invalid syntax'],
      [
        'limit=9999999999999999999',
        'strconv.ParseInt: parsing "9999999999999999999": value out of range',
      ],
      ['timeoutSeconds=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ] as const;
    for (const [query, message] of cases) {
      const answer = await api.request('GET', `${maps}?${query}`);
      assert.deepEqual(told(answer), [400, 'BadRequest', message]);
    }
  });

  test('what rows of a table hold is one of three', async () => {
    const headers = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const path = `${maps}?includeObject=All`;
    assert.deepEqual(told(await api.request('GET', path, { headers })), [
      400,
      'BadRequest',
      "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
    ]);
    assert.equal((await api.request('GET', path)).status, 200);
  });
});

describe('names', () => {
  test('a name that is no part of a path is none', async () => {
    for (const [name, problem] of [
      ['..', "may not be '..'"],
      ['a%25b', "may not contain '%'"],
    ] as const) {
      const shown = decodeURIComponent(name);
      for (const method of ['GET', 'DELETE']) {
        assert.deepEqual(told(await api.request(method, `${maps}/${name}`)), [
          400,
          'BadRequest',
          `Name parameter invalid: "${shown}": ${problem}`,
        ]);
      }
    }
  });

  test('a manager is named after the printable start of the user agent', async () => {
    const headers = { 'User-Agent': `${'m'.repeat(200)}/1.0`, 'Content-Type': 'application/json' };
    const body = map('agent', { a: '1' });
    const answer = await api.request('POST', maps, { body: JSON.stringify(body), headers });
    assert.equal(answer.at('metadata.managedFields.0.manager'), 'm'.repeat(128));
  });
});

describe('forms of answers', () => {
  test('discovery is read in every form that objects are', async () => {
    const ask = async (path: string, accept: string): Promise<Answer> =>
      await api.request('GET', path, { headers: { Accept: accept } });
    const yaml = await ask('/apis/apps', 'application/yaml');
    assert.match(yaml.text, /^apiVersion: v1\nkind: APIGroup\nname: apps\n/);
    const protobuf = await ask('/apis/apps/v1', 'application/vnd.kubernetes.protobuf');
    assert.equal(protobuf.bytes.toString('latin1', 0, 3), 'k8s');
    assert.equal((await ask('/api', 'text/html')).status, 406);
    const curl = { 'User-Agent': 'curl/8.0' };
    const pretty = await api.request('GET', '/api/v1', { headers: curl });
    assert.match(pretty.text, /^\{\n {2}"kind": "APIResourceList"/);
  });

  test('kinds without fields of their own are selected by name and namespace', async () => {
    const path = '/apis/storage.k8s.io/v1/storageclasses?fieldSelector=metadata.namespace';
    assert.deepEqual((await api.request('GET', `${path}=x`)).at('items'), []);
    const all = await api.request('GET', `${path}=`);
    assert.notEqual((all.at('items') as unknown[]).length, 0);
  });
});

describe('creating', () => {
  test('all options that are wrong are told at once', async () => {
    const query = '?fieldManager=a%07&dryRun=All&dryRun=x&fieldValidation=y';
    const answer = await api.request('POST', maps + query, { body: map('options') });
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.at('details.causes.*.message'), [
      'Invalid value: "a\\u0007": invalid character U+0007 (at position 1)',
      'Unsupported value: ["All","x"]: supported values: "All"',
      'Unsupported value: "y": supported values: "", "Ignore", "Strict", "Warn"',
    ]);
  });

  test('system fields of the request do not count, and nobody owns them', async () => {
    const made = await make(
      'system',
      { a: '1' },
      {
        uid: 'mine',
        deletionTimestamp: '2020-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 3,
      },
    );
    assert.notEqual(made.at('metadata.uid'), 'mine');
    assert.equal(made.at('metadata.deletionTimestamp'), undefined);
    assert.deepEqual(made.at('metadata.managedFields.0.fieldsV1'), {
      'f:data': { '.': {}, 'f:a': {} },
    });
  });

  test('a name that is still being given up says so', async () => {
    await make('going', {}, { finalizers: ['example.com/a'] });
    await api.request('DELETE', `${maps}/going`);
    assert.deepEqual(told(await api.request('POST', maps, { body: map('going') })), [
      409,
      'AlreadyExists',
      'object is being deleted: configmaps "going" already exists',
    ]);
  });

  test('a trial does not mind a version', async () => {
    const body = map('tried', {}, { resourceVersion: '5' });
    assert.equal((await api.request('POST', maps, { body })).status, 500);
    assert.equal((await api.request('POST', `${maps}?dryRun=All`, { body })).status, 201);
  });

  test('kinds that are unknown and kinds that do not fit differ', async () => {
    const send = async (body: object): Promise<unknown> =>
      (await api.request('POST', maps, { body })).at('message');
    assert.equal(
      await send({ apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } }),
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    );
    assert.equal(
      await send({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }),
      'Deployment in version "v1" cannot be handled as a ConfigMap: converting (v1.Deployment) to (core.ConfigMap): unknown conversion',
    );
  });
});

describe('updating', () => {
  test('an object says its name', async () => {
    await make('named');
    const text =
      'the name of the object (named based on URL) was undeterminable: name must be provided';
    const nameless = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} };
    assert.deepEqual(told(await api.request('PUT', `${maps}/named`, { body: nameless })), [
      400,
      'BadRequest',
      text,
    ]);
    assert.equal((await patch('merge', `${maps}/named`, { metadata: null })).at('message'), text);
  });

  test('a uid is a precondition of a PUT and immutable to a patch', async () => {
    const made = await make('identified');
    const put = await api.request('PUT', `${maps}/identified`, {
      body: map('identified', {}, { uid: 'x' }),
    });
    assert.deepEqual(told(put), [
      409,
      'Conflict',
      `Operation cannot be fulfilled on configmaps "identified": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/identified, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ${String(made.at('metadata.uid'))}`,
    ]);
    const patched = await patch('merge', `${maps}/identified`, { metadata: { uid: 'x' } });
    assert.equal(patched.status, 422);
  });

  test('a version is a number; 0 is none', async () => {
    const path = `${leases}/versioned`;
    const lease = (resourceVersion: string): object => ({
      metadata: { name: 'versioned', resourceVersion },
    });
    assert.equal((await api.request('PUT', path, { body: lease('7') })).status, 201);
    const bad = await api.request('PUT', path, { body: lease('abc') });
    assert.deepEqual(told(bad), [500, '', syntax('abc')]);
    const none = await api.request('PUT', path, { body: lease('0') });
    assert.equal(none.status, 422);
    assert.equal(none.at('details.kind'), 'leases');
  });
});

describe('patches', () => {
  before(async () => {
    await make('patched', { a: '1' });
  });
  const path = `${maps}/patched`;

  test('what a patch makes unreadable is told of the patch', async () => {
    const strict = `${path}?fieldValidation=Strict`;
    const cases = [
      [
        await patch('strategic-merge', path, { data: { a: 1 } }),
        'map[data:map[a:1]]',
        'cannot convert int64 to string',
      ],
      [
        await patch('strategic-merge', strict, { foo: 1 }),
        'map[foo:1]',
        'strict decoding error: unknown field "foo"',
      ],
      [
        await patch('strategic-merge', path, { data: ['x'] }),
        'map[data:[x]]',
        'cannot restore map from slice',
      ],
    ] as const;
    for (const [answer, value, reason] of cases) {
      assert.deepEqual(told(answer), [
        422,
        'Invalid',
        ` "" is invalid: patch: Invalid value: "${value}": ${reason}`,
      ]);
    }
    const merged = await patch('merge', path, { data: { a: 1 } });
    assert.equal(merged.status, 422);
    assert.match(
      String(merged.at('message')),
      /^ "" is invalid: patch: Invalid value: "\{\\"apiVersion\\":\\"v1\\",\\"data\\":\{\\"a\\":1\}.*": json: cannot unmarshal number into Go struct field ConfigMap.data of type string$/,
    );
    const other = await patch('merge', path, { kind: 'Secret' });
    assert.match(String(other.at('message')), /: converting \(v1.Secret\) to \(core.ConfigMap\)/);
  });

  test('fields that are given twice, and unknown ones of operations, are findings', async () => {
    const twice = await patch('merge', path, '{"data":{"q":"1","q":"2"}}');
    assert.deepEqual([twice.status, twice.warnings], [200, ['duplicate field "data.q"']]);
    const operations = [{ op: 'add', path: '/data/r', value: 'x', foo: 1 }];
    const odd = await patch('json', path, operations);
    assert.deepEqual([odd.status, odd.warnings], [200, ['json patch unknown field "[0].foo"']]);
    const refused = await patch('json', `${path}?fieldValidation=Strict`, operations);
    assert.match(
      String(refused.at('message')),
      /strict decoding error: json patch unknown field "\[0\].foo"$/,
    );
  });

  test('bodies that are no patch have the words of their decoder', async () => {
    const cases = [
      ['merge', '{', 'error decoding patch: unexpected end of JSON input'],
      ['merge', 'null', 'Invalid JSON Patch'],
      ['strategic-merge', '{', 'unexpected end of JSON input'],
      [
        'strategic-merge',
        '[]',
        'json: cannot unmarshal array into Go value of type map[string]interface {}',
      ],
    ] as const;
    for (const [type, body, message] of cases) {
      assert.deepEqual(told(await patch(type, path, body)), [400, 'BadRequest', message]);
    }
    assert.equal((await patch('merge', `${maps}/nobody`, '{')).status, 404);
    const whole = [{ op: 'add', path: '', value: {} }];
    assert.equal((await patch('json', path, whole)).status, 422);
  });
});

describe('applies', () => {
  test('what does not fit the type is refused before anything is owned', async () => {
    const path = `${core}/pods/typed`;
    const pod = (containers: unknown): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'typed' },
      spec: { containers },
    });
    const start = 'failed to create typed patch object (/typed; /v1, Kind=Pod): ';
    const cases: [unknown, string][] = [
      [[{ name: 'a', foo: 1 }], '.spec.containers[name="a"].foo: field not declared in schema'],
      ['x', '.spec.containers: expected list, got &{x}'],
      [
        [{ name: 'a', image: 1 }],
        '.spec.containers[name="a"].image: expected string, got &value.valueUnstructured{Value:1}',
      ],
      [
        [{ name: 'a', stdin: 'yes', tty: 1 }],
        'errors:\n  .spec.containers[name="a"].stdin: expected boolean, got &{yes}\n  .spec.containers[name="a"].tty: expected boolean, got &{1}',
      ],
      [
        [{ name: 'a', ports: [{ containerPort: 'x' }] }],
        '.spec.containers[name="a"].ports[containerPort="x",protocol="TCP"].containerPort: expected numeric (int or float), got string',
      ],
    ];
    for (const [containers, message] of cases) {
      assert.deepEqual(told(await apply(path, pod(containers))), [500, '', start + message]);
    }
    assert.equal((await api.request('GET', path)).status, 404);
  });

  test('fields that are given twice are findings', async () => {
    const body =
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  q: "1"\n  q: "2"\n';
    const finding =
      'error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "q" already set in map';
    const strict = await apply(`${maps}/twice`, body, '?fieldManager=m&fieldValidation=Strict');
    assert.deepEqual(told(strict), [400, 'BadRequest', `error strict decoding YAML: ${finding}`]);
    assert.equal((await apply(`${maps}/twice`, body)).status, 201);
  });
});

describe('deletes', () => {
  test('a collection answers with the list as it was', async () => {
    for (const name of ['c', 'a', 'b']) await make(`all-${name}`, {}, { labels: { set: 'all' } });
    const answer = await api.request('DELETE', `${maps}?labelSelector=set=all`);
    assert.equal(answer.at('kind'), 'ConfigMapList');
    assert.deepEqual(answer.at('items.*.metadata.name'), ['all-a', 'all-b', 'all-c']);
  });

  test('a trial shows what would be left', async () => {
    await make('trial', {}, { finalizers: ['example.com/a'] });
    const answer = await api.request('DELETE', `${maps}/trial?dryRun=All`);
    assert.notEqual(answer.at('metadata.deletionTimestamp'), undefined);
    const kept = await api.request('GET', `${maps}/trial`);
    assert.equal(kept.at('metadata.deletionTimestamp'), undefined);
  });

  test('events never wait for dependents', async () => {
    const event = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    };
    await api.request('POST', `${core}/events`, { body: event });
    const path = `${core}/events/e`;
    const body = { propagationPolicy: 'Foreground' };
    assert.equal((await api.request('DELETE', path, { body })).at('status'), 'Success');
    assert.equal((await api.request('GET', path)).status, 404);
  });
});

describe('custom resources', () => {
  const foos = '/apis/machinery.example/v1/namespaces/default/foos';
  const foo = (spec: object): object => ({
    apiVersion: 'machinery.example/v1',
    kind: 'Foo',
    metadata: { name: 'a' },
    spec,
  });
  before(async () => {
    const count = { type: 'integer' };
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { count } } },
    };
    const body = {
      metadata: { name: 'foos.machinery.example' },
      spec: {
        group: 'machinery.example',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
        ],
      },
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    assert.equal((await api.request('POST', crds, { body })).status, 201);
    await api.until(foos, ({ status }) => status === 200);
    assert.equal((await api.request('POST', foos, { body: foo({ count: 1 }) })).status, 201);
  });

  test('a strict patch is refused as a patch', async () => {
    const answer = await patch('merge', `${foos}/a?fieldValidation=Strict`, { spec: { odd: 1 } });
    assert.equal(answer.status, 422);
    assert.match(
      String(answer.at('message')),
      /^ "" is invalid: patch: Invalid value: ".*": strict decoding error: unknown field "spec.odd"$/,
    );
  });

  test('an apply has to fit the schema', async () => {
    const start = 'failed to create typed patch object (/a; machinery.example/v1, Kind=Foo): ';
    assert.deepEqual(told(await apply(`${foos}/a`, foo({ odd: 1 }))), [
      500,
      '',
      `${start}.spec.odd: field not declared in schema`,
    ]);
    assert.deepEqual(told(await apply(`${foos}/a`, foo({ count: 'x' }))), [
      500,
      '',
      `${start}.spec.count: expected numeric (int or float), got string`,
    ]);
  });
});
