/**
 * Every kind that is stored, over a server as `k3ts server --disable-agent` composes it: created in
 * each form and read back in each form, and the few kinds that answer in a way of their own.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { catalog } from '../../src/schema/catalog.ts';
import { decodeProtobuf, encodeProtobuf } from '../../src/schema/protobuf/mod.ts';
import { objectOfCase } from '../../src/schema/validation/testing/check-kind.ts';
import { startTestApi, type TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
  await api.until('/api/v1/namespaces/default/serviceaccounts/default', ({ status }) => {
    return status === 200;
  });
});
after(async () => await api.close());

type Json = Record<string, unknown>;

const json = 'application/json';
const yaml = 'application/yaml';
const protobuf = 'application/vnd.kubernetes.protobuf';
const forms = [json, yaml, protobuf] as const;
type Form = (typeof forms)[number];

/** Kinds whose names say what they are, or that need another object first. */
const ownNames: Readonly<Record<string, string>> = {
  apiservices: 'v1.example.com',
  customresourcedefinitions: '',
  ipaddresses: '',
};

/** Controllers write annotations of theirs between two reads. */
const annotated: ReadonlySet<string> = new Set(['Deployment', 'HorizontalPodAutoscaler']);

function encode(object: Json, form: Form): string | Buffer {
  if (form === json) return JSON.stringify(object);
  if (form === yaml) return stringify(object, { version: '1.1' });
  const bytes = encodeProtobuf(object);
  assert.ok(bytes);
  return bytes;
}

function decode(bytes: Buffer, form: Form): Json {
  if (form === json) return JSON.parse(bytes.toString()) as Json;
  if (form === yaml) return parse(bytes.toString(), { version: '1.1' }) as Json;
  return decodeProtobuf(bytes);
}

/** Without what controllers change between two reads, and what protobuf has no place for. */
function settled(object: Json): Json {
  const { metadata, status: _status, ...rest } = structuredClone(object);
  const { resourceVersion: _revision, managedFields: _fields, ...meta } = metadata as Json;
  const spec = rest['spec'] as Json | undefined;
  if (rest['kind'] === 'Node') {
    delete spec?.['taints'];
    delete meta['annotations'];
  }
  if (annotated.has(String(rest['kind']))) delete meta['annotations'];
  if (rest['kind'] === 'ServiceCIDR') delete meta['finalizers'];
  for (const claim of (spec?.['volumeClaimTemplates'] ?? []) as Json[]) {
    delete claim['kind'];
    delete claim['apiVersion'];
  }
  return { ...rest, metadata: meta };
}

/** What a job selects by is refused when it names another job. */
function leaveSelectorToServer(job: Json): void {
  const spec = job['spec'] as Json;
  delete spec['selector'];
  delete (spec['template'] as Json)['metadata'];
}

for (const info of catalog.all) {
  if (!info.verbs.includes('create') || !info.verbs.includes('get')) continue;
  const { group, version, resource, kind } = info;
  const name = ownNames[resource];
  if (name === '') continue;
  test(`${kind}.${version}.${group} in every form`, async () => {
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const path = `${root}${info.namespaced ? '/namespaces/default' : ''}/${resource}`;
    const suffix = `${version}-${kind}`.toLowerCase();
    for (const [index, sent] of forms.entries()) {
      const object = objectOfCase({ group, version, resource, changes: {} });
      const own = name ?? `form-${suffix}-${index}`;
      (object['metadata'] as Json)['name'] = own;
      if (kind === 'Job') leaveSelectorToServer(object);
      const body = encode(object, sent);
      const headers = { 'Content-Type': sent, Accept: json };
      const made = await api.request('POST', path, { body, headers });
      assert.equal(made.status, 201, `${sent}: ${made.text}`);
      const answers: Json[] = [];
      for (const wanted of forms) {
        const read = await api.request('GET', `${path}/${own}`, { headers: { Accept: wanted } });
        assert.equal(read.status, 200, read.text);
        assert.equal(read.headers['content-type']?.split(';')[0], wanted);
        answers.push(settled(decode(read.bytes, wanted)));
      }
      assert.deepEqual(answers[1], answers[0], `${sent}, read as YAML`);
      assert.deepEqual(answers[2], answers[0], `${sent}, read as protobuf`);
      assert.deepEqual(answers[0], settled(made.json as Json), 'as answered');
      const gone = await api.request('DELETE', `${path}/${own}`);
      assert.ok(gone.status === 200 || gone.status === 202, gone.text);
      if (name !== undefined) break;
    }
  });
}

test('component statuses can be read and nothing else', async () => {
  const all = await api.request('GET', '/api/v1/componentstatuses');
  assert.deepEqual(all.warnings, ['v1 ComponentStatus is deprecated in v1.19+']);
  assert.deepEqual(all.at('items.*.metadata.name'), ['scheduler', 'controller-manager', 'etcd-0']);
  const one = await api.request('GET', '/api/v1/componentstatuses/etcd-0');
  assert.deepEqual(one.at('conditions'), [{ type: 'Healthy', status: 'True', message: 'ok' }]);
  assert.equal((await api.request('GET', '/api/v1/componentstatuses/none')).status, 404);
  assert.equal((await api.request('DELETE', '/api/v1/componentstatuses/etcd-0')).status, 405);
  const { stdout } = await api.kubectl(['get', 'cs']);
  assert.match(stdout, /^NAME +STATUS +MESSAGE +ERROR\n/);
  assert.match(stdout, /etcd-0 +Healthy +ok/);
});

test('the status of a new disruption budget has its counts', async () => {
  const body = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'counts' },
    spec: { minAvailable: 1, selector: {} },
  };
  const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
  const made = await api.request('POST', path, { body });
  assert.deepEqual(made.at('status'), {
    currentHealthy: 0,
    desiredHealthy: 0,
    disruptionsAllowed: 0,
    expectedPods: 0,
  });
});

test('a Service has an IPAddress as long as it lives', async () => {
  const path = '/apis/networking.k8s.io/v1/ipaddresses';
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'addressed' },
    spec: { clusterIP: '10.43.9.9', ports: [{ port: 80 }] },
  };
  const services = '/api/v1/namespaces/default/services';
  assert.equal((await api.request('POST', services, { body: service })).status, 201);
  const made = await api.until(`${path}/10.43.9.9`, ({ status }) => status === 200);
  assert.deepEqual(made.at('spec.parentRef'), {
    resource: 'services',
    namespace: 'default',
    name: 'addressed',
  });
  assert.equal((await api.request('DELETE', `${services}/addressed`)).status, 200);
  await api.until(`${path}/10.43.9.9`, ({ status }) => status === 404);
});

test('an owner that is named twice is kept once, with a warning', async () => {
  // one that lives, or the garbage collector takes what it owns
  const kubernetes = await api.request('GET', '/api/v1/namespaces/default/services/kubernetes');
  const uid = String(kubernetes.at('metadata.uid'));
  const owner = { apiVersion: 'v1', kind: 'Service', name: 'kubernetes', uid };
  const body = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ownerReferences: [owner, owner] },
  });
  const path = '/api/v1/namespaces/default/configmaps';
  const text = (when: string): string =>
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uid}`;
  const made = await api.request('POST', path, { body: body('owned') });
  assert.deepEqual(made.at('metadata.ownerReferences'), [owner]);
  assert.deepEqual(made.warnings, [text('')]);
  const put = await api.request('PUT', `${path}/owned`, { body: body('owned') });
  assert.deepEqual(put.at('metadata.ownerReferences'), [owner]);
  assert.deepEqual(put.warnings, [text('')]);
  const patch = JSON.stringify({ metadata: { ownerReferences: [owner, owner] } });
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  const patched = await api.request('PATCH', `${path}/owned`, { body: patch, headers });
  assert.deepEqual(patched.at('metadata.ownerReferences'), [owner]);
  assert.deepEqual(patched.warnings, [text(' after mutating admission happens')]);
});
