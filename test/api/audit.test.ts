/** The audit log of a running server: what is told of which request, and where it goes. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import type { TestApi } from './server.ts';
import { startTestApi, untilMs } from './server.ts';

interface Event {
  auditID: string;
  level: string;
  stage: string;
  verb: string;
  requestURI: string;
  user: { username?: string; groups?: string[] };
  impersonatedUser?: { username: string };
  authenticationMetadata?: { impersonationConstraint: string };
  sourceIPs: string[];
  userAgent?: string;
  objectRef?: Record<string, string>;
  responseStatus?: { code: number; reason?: string; message?: string };
  requestObject?: { data?: object; metadata: object };
  responseObject?: { metadata: { uid?: string; managedFields?: unknown } };
  annotations?: Record<string, string>;
}

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
- level: Metadata
  resources: [{group: "", resources: ["secrets"]}]
- level: RequestResponse
  omitStages: [RequestReceived]
  resources: [{group: "", resources: ["configmaps"]}]
- level: Metadata
`;

let api: TestApi;
let folder: string;
const posted: { kind: string; items: Event[] }[] = [];
const webhook = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    posted.push(JSON.parse(text) as (typeof posted)[number]);
    response.end();
  });
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k3ts-audit-'));
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  const { port } = webhook.address() as AddressInfo;
  await writeFile(join(folder, 'policy.yaml'), policy);
  await writeFile(
    join(folder, 'webhook.yaml'),
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}/events` } }],
      users: [{ name: 'u', user: {} }],
    }),
  );
  api = await startTestApi({
    apiServerArgs: readApiServerArgs([
      `audit-policy-file=${folder}/policy.yaml`,
      `audit-log-path=${folder}/audit.log`,
      `audit-webhook-config-file=${folder}/webhook.yaml`,
      'audit-webhook-batch-max-wait=50ms',
    ]),
  });
});
after(async () => {
  await api.close();
  webhook.closeAllConnections();
  webhook.close();
  await rm(folder, { recursive: true, force: true });
});

/** Events of the log that hold, once one has the stage that ends a request. */
async function eventsOf(id: string, last = 'ResponseComplete'): Promise<Event[]> {
  for (const endMs = systemClock.monotonicMs() + untilMs; ; await systemClock.sleep(10)) {
    const lines = (await readFile(join(folder, 'audit.log'), 'utf8')).split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as Event).filter((e) => e.auditID === id);
    if (events.some(({ stage }) => stage === last)) return events;
    assert.ok(systemClock.monotonicMs() < endMs, `no ${last} of ${id}`);
  }
}

/** All events of the log that are meant, once there are some. */
async function allEvents(isMeant: (event: Event) => boolean): Promise<Event[]> {
  for (const endMs = systemClock.monotonicMs() + untilMs; ; await systemClock.sleep(20)) {
    const lines = (await readFile(join(folder, 'audit.log'), 'utf8')).split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as Event).filter(isMeant);
    if (events.length > 0) return events;
    assert.ok(systemClock.monotonicMs() < endMs, 'no such event');
  }
}

test('a request carries its own Audit-ID through, and bodies are told at RequestResponse', async () => {
  const answer = await api.request('POST', '/api/v1/namespaces/default/configmaps', {
    body: { metadata: { name: 'a' }, data: { k: 'v' } },
    headers: { 'Audit-ID': 'my-id', 'X-Forwarded-For': '192.0.2.7' },
  });
  assert.equal(answer.headers['audit-id'], 'my-id');
  const events = await eventsOf('my-id');
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ['ResponseComplete'],
  );
  const [event] = events;
  assert.equal(event?.level, 'RequestResponse');
  assert.equal(event?.verb, 'create');
  assert.equal(event?.user.username, 'system:admin');
  assert.deepEqual(event?.sourceIPs.slice(0, 1), ['192.0.2.7']);
  assert.deepEqual(event?.objectRef, {
    resource: 'configmaps',
    namespace: 'default',
    name: 'a',
    apiVersion: 'v1',
  });
  assert.equal(event?.responseStatus?.code, 201);
  assert.deepEqual(event?.requestObject, { metadata: { name: 'a' }, data: { k: 'v' } });
  assert.equal(event?.responseObject?.metadata.uid, answer.at('metadata.uid'));
  assert.equal(event?.responseObject?.metadata.managedFields, undefined);
  assert.equal(event?.annotations?.['authorization.k8s.io/decision'], 'allow');
});

test('a list is told with its items, a secret without its content', async () => {
  const list = await api.request('GET', '/api/v1/namespaces/default/configmaps');
  const [event] = await eventsOf(String(list.headers['audit-id']));
  assert.equal((event?.responseObject as { kind?: string } | undefined)?.kind, 'ConfigMapList');
  const secret = await api.request('POST', '/api/v1/namespaces/default/secrets', {
    body: { metadata: { name: 's' }, stringData: { p: 'supergeheim' } },
  });
  const events = await eventsOf(String(secret.headers['audit-id']));
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ['RequestReceived', 'ResponseComplete'],
  );
  assert.ok(!JSON.stringify(events).includes('supergeheim'));
  assert.equal(events[1]?.objectRef?.['name'], 's');
});

test('refusals are told with their reason, also those of callers whom nobody knows', async () => {
  const jane = await api.identity('jane', []);
  const refused = await api.request('GET', '/api/v1/nodes', { as: jane });
  assert.equal(refused.status, 403);
  const event = (await eventsOf(String(refused.headers['audit-id']))).at(-1);
  assert.equal(event?.responseStatus?.reason, 'Forbidden');
  assert.equal(event?.annotations?.['authorization.k8s.io/decision'], 'forbid');
  const unknown = await api.request('GET', '/api/v1/nodes', {
    as: 'none',
    headers: { Authorization: 'Bearer nonsense', 'Audit-ID': 'unknown-1' },
  });
  assert.equal(unknown.status, 401);
  const [failed] = await eventsOf('unknown-1', 'ResponseStarted');
  assert.equal(failed?.responseStatus?.code, 401);
  assert.equal(failed?.responseStatus?.message, 'Authentication failed, attempted: bearer');
});

test('who is impersonated is told beside who asked', async () => {
  const answer = await api.request('GET', '/api/v1/namespaces', {
    headers: { 'Impersonate-User': 'jane' },
  });
  const event = (await eventsOf(String(answer.headers['audit-id']))).at(-1);
  assert.equal(event?.user.username, 'system:admin');
  assert.equal(event?.impersonatedUser?.username, 'jane');
  assert.equal(event?.authenticationMetadata?.impersonationConstraint, 'impersonate:user-info');
});

test('a watch is told when it begins and when it ends', async () => {
  const watch = await api.request('GET', '/api/v1/namespaces?watch=true&timeoutSeconds=1');
  const events = await eventsOf(String(watch.headers['audit-id']));
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
  );
  assert.equal(events[1]?.verb, 'watch');
});

test('controllers are told of under their service accounts, with what their roles say', async () => {
  const path = '/apis/apps/v1/namespaces/default/deployments';
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const body = {
    metadata: { name: 'web' },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  };
  assert.equal((await api.request('POST', path, { body })).status, 201);
  const told = (verb: string, resource: string) =>
    allEvents((event) => {
      const { objectRef = {} } = event;
      const isHere = objectRef['namespace'] === 'default' && objectRef['resource'] === resource;
      return isHere && event.verb === verb && event.stage === 'ResponseComplete';
    });
  const [set] = await told('create', 'replicasets');
  const account = 'system:serviceaccount:kube-system:deployment-controller';
  assert.equal(set?.user.username, account);
  assert.deepEqual(set?.user.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:kube-system',
    'system:authenticated',
  ]);
  assert.match(set?.userAgent ?? '', /^kube-controller-manager\/v1\.36.*deployment-controller$/);
  assert.deepEqual(set?.sourceIPs, ['127.0.0.1']);
  assert.equal(set?.requestURI, '/apis/apps/v1/namespaces/default/replicasets');
  assert.equal(set?.responseStatus?.code, 201);
  assert.equal(set?.annotations?.['authorization.k8s.io/decision'], 'allow');
  assert.match(set?.annotations?.['authorization.k8s.io/reason'] ?? '', /^RBAC: allowed by/);
  const [pod] = await told('create', 'pods');
  assert.equal(pod?.user.username, 'system:serviceaccount:kube-system:replicaset-controller');
  const stored = await api.request('GET', '/api/v1/namespaces/kube-system/serviceaccounts');
  const accounts = stored.at('items') as { metadata: { name: string; uid: string } }[];
  const own = accounts.find(({ metadata }) => metadata.name === 'deployment-controller');
  assert.ok(own?.metadata.uid);
});

test('what the policy leaves out is not told', async () => {
  await api.request('GET', '/readyz', { headers: { 'Audit-ID': 'quiet' } });
  await api.request('GET', '/version', { headers: { 'Audit-ID': 'loud' } });
  await eventsOf('loud');
  assert.ok(!(await readFile(join(folder, 'audit.log'), 'utf8')).includes('"quiet"'));
});

test('the webhook gets the same events in lists', async () => {
  await api.request('GET', '/version', { headers: { 'Audit-ID': 'hook-1' } });
  for (const endMs = systemClock.monotonicMs() + untilMs; ; await systemClock.sleep(20)) {
    const found = posted.flatMap(({ items }) => items).filter((e) => e.auditID === 'hook-1');
    if (found.length === 2) break;
    assert.ok(systemClock.monotonicMs() < endMs, 'the webhook got no events');
  }
  assert.equal(posted[0]?.kind, 'EventList');
});

test('a policy that cannot be used ends the start with its reason', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n');
  const args = [`audit-policy-file=${file}`, 'audit-log-path=-'];
  await assert.rejects(startTestApi({ apiServerArgs: readApiServerArgs(args) }), {
    message: `loading audit policy file: loaded illegal policy with 0 rules: from file ${file}`,
  });
  const alone = [`audit-policy-file=${join(folder, 'none.yaml')}`];
  await assert.rejects(startTestApi({ apiServerArgs: readApiServerArgs(alone) }), {
    message: /^loading audit policy file: failed to read file path ".*none\.yaml": /,
  });
});
