/** Server-side apply as controllers and kubectl meet it; the cases of upstream's integration tests. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const maps = '/api/v1/namespaces/default/configmaps';
let api: TestApi;
let number = 0;
let name = '';

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
});
after(() => api.close());
beforeEach(() => {
  name = `applied-${number++}`;
});

interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
  time?: string;
  fieldsV1: Record<string, unknown>;
}

const entriesOf = (answer: Answer): Entry[] =>
  (answer.at('metadata.managedFields') ?? []) as Entry[];
const entryOf = (answer: Answer, manager: string): Entry | undefined =>
  entriesOf(answer).find((entry) => entry.manager === manager);

async function apply(path: string, manager: string, body: object, query = ''): Promise<Answer> {
  const headers = { 'Content-Type': 'application/apply-patch+yaml' };
  return await api.request('PATCH', `${path}?fieldManager=${manager}${query}`, { headers, body });
}

async function patch(type: string, path: string, body: unknown, query = ''): Promise<Answer> {
  const headers = { 'Content-Type': `application/${type}+json` };
  return await api.request('PATCH', path + query, { headers, body });
}

function map(data: Record<string, string>, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

function deployment(spec: object, containers: readonly object[] = []): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: 'nginx' } },
    spec: {
      ...spec,
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { labels: { app: 'nginx' } },
        spec: { containers: [{ name: 'nginx', image: 'nginx:latest' }, ...containers] },
      },
    },
  };
}

describe('creating', () => {
  test('an apply creates what is not there, whatever version it names, but not with a uid', async () => {
    const path = `${maps}/${name}`;
    const withUid = await apply(path, 'm', map({ a: '1' }, { uid: 'of-another' }));
    assert.equal(withUid.status, 409);
    assert.equal(
      withUid.at('message'),
      `Operation cannot be fulfilled on configmaps "${name}": uid mismatch: the provided object specified uid of-another, and no existing object was found`,
    );
    const withVersion = await apply(path, 'm', map({ a: '1' }, { resourceVersion: '5' }));
    assert.equal(withVersion.status, 201);
    assert.equal((await apply(path, 'm', map({ a: '1' }))).status, 200);
  });

  test('a version or uid in the applied object must be the stored one', async () => {
    const path = `${maps}/${name}`;
    await apply(path, 'm', map({ a: '1' }));
    const wrong = await apply(path, 'm', map({ a: '2' }, { resourceVersion: '1' }));
    assert.equal(wrong.status, 409);
    assert.match(String(wrong.at('message')), /the object has been modified; please apply/);
    const other = await apply(path, 'm', map({ a: '2' }, { uid: 'other' }));
    assert.equal(other.status, 422);
    assert.match(String(other.at('message')), /metadata.uid: .* field is immutable/);
  });

  test('the same again changes nothing, not even a time', async () => {
    const path = `${deployments}/${name}`;
    const first = await apply(path, 'm', deployment({ replicas: 2 }));
    assert.equal(first.status, 201, first.text);
    const again = await apply(path, 'm', deployment({ replicas: 2 }));
    assert.deepEqual(again.json, first.json);
  });
});

describe('conflicts', () => {
  test('name manager, version and path; force takes over', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'one', deployment({ replicas: 3 }));
    await patch('merge-patch', path, { spec: { replicas: 5 } }, '?fieldManager=scaler');
    const refused = await apply(path, 'one', deployment({ replicas: 3 }));
    assert.equal(refused.status, 409);
    assert.match(
      String(refused.at('message')),
      /^Apply failed with 1 conflict: conflict with "scaler" using apps\/v1( at \S+)?: \.spec\.replicas$/,
    );
    assert.deepEqual(refused.at('details.causes.*.field'), ['.spec.replicas']);
    assert.deepEqual(refused.at('details.causes.*.reason'), ['FieldManagerConflict']);
    const forced = await apply(path, 'one', deployment({ replicas: 3 }), '&force=true');
    assert.equal(forced.at('spec.replicas'), 3);
    assert.equal(entryOf(forced, 'scaler'), undefined);
  });

  test('two that apply the same share it; it goes when both have left it out', async () => {
    const path = `${maps}/${name}`;
    await apply(path, 'one', map({ shared: 'x', own: '1' }));
    assert.equal((await apply(path, 'two', map({ shared: 'x' }))).status, 200);
    const left = await apply(path, 'one', map({ own: '1' }));
    assert.equal(left.at('data.shared'), 'x');
    const gone = await apply(path, 'two', map({}));
    assert.deepEqual(gone.at('data'), { own: '1' });
  });

  test('ownership is handed over by leaving the field out after another has applied it', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'user', deployment({ replicas: 3 }));
    await apply(path, 'controller', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas: 3 },
    });
    const left = await apply(path, 'user', deployment({}));
    assert.equal(left.at('spec.replicas'), 3);
    const changed = await apply(path, 'controller', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas: 4 },
    });
    assert.equal(changed.at('spec.replicas'), 4, changed.text);
  });

  test('a field that is applied as null has its default and is owned', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'scaler', deployment({ replicas: 3 }));
    const refused = await apply(path, 'other', deployment({ replicas: null }));
    assert.equal(refused.status, 409);
    assert.match(String(refused.at('message')), /"scaler": \.spec\.replicas$/);
    const own = await apply(path, 'scaler', deployment({ replicas: null }));
    assert.equal(own.status, 200);
    assert.equal(own.at('spec.replicas'), 1);
    assert.deepEqual(at(entryOf(own, 'scaler')?.fieldsV1, 'f:spec.f:replicas'), {});
    const again = await apply(path, 'scaler', deployment({ replicas: null }));
    assert.equal(again.at('metadata.resourceVersion'), own.at('metadata.resourceVersion'));
  });

  test('a field with a default comes back to it when its owner leaves it out', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'm', deployment({ replicas: 3, revisionHistoryLimit: 3 }));
    const left = await apply(path, 'm', deployment({}));
    assert.equal(left.at('spec.replicas'), 1);
    assert.equal(left.at('spec.revisionHistoryLimit'), 10);
  });
});

describe('lists', () => {
  test('items of others stay, own ones go when left out', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'one', deployment({}, [{ name: 'side', image: 'side:1' }]));
    const sidecar = { name: 'injected', image: 'injected:1' };
    await patch('strategic-merge-patch', path, {
      spec: { template: { spec: { containers: [sidecar] } } },
    });
    const left = await apply(path, 'one', deployment({}));
    assert.deepEqual([...(left.at('spec.template.spec.containers.*.name') as string[])].sort(), [
      'injected',
      'nginx',
    ]);
  });

  test('ports with the same number and another protocol are two', async () => {
    const path = `${deployments}/${name}`;
    const ports = (list: readonly object[]): object => {
      const object = deployment({}) as { spec: { template: { spec: { containers: object[] } } } };
      object.spec.template.spec.containers = [
        { name: 'nginx', image: 'nginx:latest', ports: list },
      ];
      return object;
    };
    const both = [
      { name: 'tcp', containerPort: 80, protocol: 'TCP' },
      { name: 'udp', containerPort: 80, protocol: 'UDP' },
    ];
    const made = await apply(path, 'm', ports(both));
    assert.equal(made.status, 201, made.text);
    const left = await apply(path, 'm', ports(both.slice(1)));
    assert.deepEqual(left.at('spec.template.spec.containers.0.ports.*.name'), ['udp']);
    // the key that has a default may be left out
    const bare = await apply(path, 'm', ports([{ containerPort: 81 }]));
    assert.deepEqual(left.status, 200);
    assert.deepEqual(bare.at('spec.template.spec.containers.0.ports'), [
      { containerPort: 81, protocol: 'TCP' },
    ]);
  });

  test('duplicates are refused in what is applied, and put up with in what is stored', async () => {
    const path = `${deployments}/${name}`;
    const env = (list: readonly object[]): object => {
      const object = deployment({}) as { spec: { template: { spec: { containers: object[] } } } };
      object.spec.template.spec.containers = [{ name: 'nginx', image: 'nginx:latest', env: list }];
      return object;
    };
    const twice = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const refused = await apply(path, 'm', env(twice));
    assert.equal(refused.status, 500);
    assert.match(String(refused.at('message')), /duplicate entries for key \[name="A"\]$/);
    assert.equal((await api.request('POST', deployments, { body: env(twice) })).status, 201);
    const more = await apply(path, 'other', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        template: { spec: { containers: [{ name: 'nginx', env: [{ name: 'B', value: '3' }] }] } },
      },
    });
    assert.equal(more.status, 200, more.text);
    assert.deepEqual(more.at('spec.template.spec.containers.0.env.*.name'), ['A', 'A', 'B']);
  });
});

describe('managed fields', () => {
  const resets: [form: string, send: (path: string) => Promise<Answer>][] = [
    ['merge', (path) => patch('merge-patch', path, { metadata: { managedFields: [{}] } })],
    [
      'strategic',
      (path) => patch('strategic-merge-patch', path, { metadata: { managedFields: [{}] } }),
    ],
    [
      'JSON',
      (path) =>
        patch('json-patch', path, [
          { op: 'replace', path: '/metadata/managedFields', value: [{}] },
        ]),
    ],
    [
      'update',
      async (path) => {
        const object = (await api.request('GET', path)).json as { metadata: object };
        const metadata = { ...object.metadata, managedFields: [{}] };
        return await api.request('PUT', path, { body: { ...object, metadata } });
      },
    ],
  ];
  for (const [form, send] of resets) {
    test(`are forgotten for a list of one empty entry, by ${form}`, async () => {
      const path = `${maps}/${name}`;
      await apply(path, 'm', map({ a: '1' }));
      const reset = await send(path);
      assert.equal(reset.status, 200, reset.text);
      assert.deepEqual(entriesOf(reset), []);
      const again = await apply(path, 'next', map({ b: '2' }));
      const managers = entriesOf(again).map((entry) => entry.manager);
      assert.deepEqual(managers.sort(), ['before-first-apply', 'next']);
    });
  }

  test('stay for an empty list in an update', async () => {
    const path = `${maps}/${name}`;
    const made = await apply(path, 'm', map({ a: '1' }));
    const object = made.json as { metadata: object };
    const body = { ...object, metadata: { ...object.metadata, managedFields: [] } };
    const put = await api.request('PUT', path, { body });
    assert.equal(entryOf(put, 'm')?.operation, 'Apply');
  });

  test('of a manager that applies nothing any more are dropped', async () => {
    const path = `${maps}/${name}`;
    await apply(path, 'stays', map({ a: '1' }));
    await apply(path, 'goes', map({ b: '2' }));
    const bare = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
    const left = await apply(path, 'goes', bare);
    assert.deepEqual(left.at('data'), { a: '1' });
    assert.equal(entryOf(left, 'goes'), undefined);
  });

  test('of more than ten updating managers the oldest are one', async () => {
    const path = `${maps}/${name}`;
    await api.request('POST', maps, { body: map({ first: 'x' }) });
    for (let i = 0; i < 20; i++) {
      const query = `?fieldManager=updater-${i}`;
      const done = await patch('merge-patch', path, { data: { [`k${i}`]: 'x' } }, query);
      assert.equal(done.status, 200, done.text);
    }
    const object = await api.request('GET', path);
    const entries = entriesOf(object);
    assert.ok(entries.length <= 11, String(entries.length));
    const old = entries.find((entry) => entry.manager === 'ancient-changes');
    assert.equal(old?.operation, 'Update');
    assert.ok(Object.keys(at(old?.fieldsV1, ['f:data']) as object).length >= 9);
  });

  test('of a subresource are entries of their own, and never hold what it cannot write', async () => {
    const path = `${deployments}/${name}`;
    await apply(path, 'm', deployment({ replicas: 1 }));
    const status = await apply(`${path}/status`, 'm', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels: { ignored: 'yes' } },
      spec: { replicas: 9 },
      status: { observedGeneration: 7 },
    });
    assert.equal(status.status, 200, status.text);
    assert.equal(status.at('spec.replicas'), 1);
    assert.equal(status.at('status.observedGeneration'), 7);
    const entry = entriesOf(status).find((one) => one.subresource === 'status');
    assert.equal(entry?.manager, 'm');
    assert.equal(entry?.fieldsV1['f:spec'], undefined);
    assert.ok(entry?.fieldsV1['f:status'] !== undefined);
    const scaled = await patch(
      'merge-patch',
      `${path}/scale`,
      { spec: { replicas: 4 } },
      '?fieldManager=hpa',
    );
    assert.equal(scaled.status, 200);
    const refused = await apply(path, 'm', deployment({ replicas: 1 }));
    assert.match(
      String(refused.at('message')),
      /^Apply failed with 1 conflict: conflict with "hpa" with subresource "scale"( using \S+)?( at \S+)?: \.spec\.replicas$/,
    );
  });

  test('in the applied body are refused', async () => {
    const answer = await apply(`${maps}/${name}`, 'm', map({}, { managedFields: [{}] }));
    assert.equal(answer.status, 400);
    assert.equal(answer.at('message'), 'metadata.managedFields must be nil');
  });
});

test('what kubectl applied on the client side is taken over by its server-side apply', async () => {
  const path = `${maps}/${name}`;
  const file = (data: object): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
  const first = await api.kubectl(['apply', '-f', '-'], {
    stdin: file({ kept: '1', dropped: '2' }),
  });
  assert.equal(first.code, 0, first.stderr);
  const second = await api.kubectl(['apply', '--server-side', '-f', '-'], {
    stdin: file({ kept: '1' }),
  });
  assert.equal(second.code, 0, second.stderr);
  const object = await api.request('GET', path);
  assert.deepEqual(object.at('data'), { kept: '1' });
  assert.equal(entryOf(object, 'kubectl-client-side-apply'), undefined);
  assert.equal(entryOf(object, 'kubectl')?.operation, 'Apply');
});
