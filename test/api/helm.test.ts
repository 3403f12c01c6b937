/** A chart's life with the requests that helm 3 sends: three-way merges over live changes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { HelmClient, Manifest } from './helm-client.ts';
import { helmClient } from './helm-client.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = 'default';
const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
const gadget = `/apis/charts.example.com/v1/namespaces/${namespace}/gadgets/web`;
const settings = `/api/v1/namespaces/${namespace}/configmaps/web`;
let api: TestApi;
let helm: HelmClient;

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  helm = helmClient(api, 'web', namespace);
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const body = {
    metadata: { name: 'gadgets.charts.example.com' },
    spec: {
      group: 'charts.example.com',
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  await api.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body });
  await api.until(gadget.slice(0, -4), ({ status }) => status === 200);
});
after(() => api.close());

interface Values {
  image: string;
  env: Readonly<Record<string, string>>;
  hasSettings: boolean;
  parts: readonly string[];
  app?: string;
}

/** What the chart's templates make of values. */
function chart({ image, env, hasSettings, parts, app = 'web' }: Values): Manifest[] {
  const labels = { app };
  const main = {
    name: 'main',
    image,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
  };
  const template = { metadata: { labels }, spec: { containers: [main] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  const metadata = { name: 'web' };
  const ports = [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }];
  return [
    ...(hasSettings
      ? [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { mode: 'x' } }]
      : []),
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec },
    { apiVersion: 'charts.example.com/v1', kind: 'Gadget', metadata, spec: { parts, size: 1 } },
  ];
}

const first: Values = {
  image: 'web:1',
  env: { A: '1', B: '2' },
  hasSettings: true,
  parts: ['x', 'y'],
};
const second: Values = {
  image: 'web:2',
  env: { A: '1', C: '3' },
  hasSettings: false,
  parts: ['z'],
};

/** A field of the live containers; one that a patch adds comes first, as upstream puts it. */
async function containers(path: string): Promise<unknown> {
  return (await api.request('GET', deployment)).at(`spec.template.spec.containers.${path}`);
}

test('an install creates what the chart says, and keeps it in a Secret', async () => {
  await helm.install(chart(first));
  const live = await api.request('GET', deployment);
  assert.equal(live.at('metadata.managedFields.0.manager'), 'helm');
  const secret = await api.kubectl(['get', 'secret', '-l', 'owner=helm', '--show-labels']);
  assert.match(
    secret.stdout,
    /web\.v1 +helm\.sh\/release\.v1 +1 +\d+s .*status=deployed,version=1/,
  );
  assert.deepEqual(
    (await helm.history()).map(({ version, status }) => [version, status]),
    [[1, 'deployed']],
  );
});

test('an upgrade takes back its own words, and leaves those of others', async () => {
  const sidecar = [{ name: 'injected', image: 'mesh', env: [{ name: 'M', value: 'm' }] }];
  const byHand = {
    metadata: { annotations: { 'example.com/by': 'hand' } },
    spec: { replicas: 5, template: { spec: { containers: sidecar } } },
  };
  const headers = { 'Content-Type': 'application/strategic-merge-patch+json' };
  await api.request('PATCH', deployment, { body: byHand, headers });
  await helm.upgrade(chart(second));
  const live = await api.request('GET', deployment);
  assert.equal(live.at('spec.replicas'), 2);
  assert.equal(live.at(['metadata', 'annotations', 'example.com/by']), 'hand');
  assert.deepEqual(await containers('*.name'), ['injected', 'main']);
  assert.deepEqual(await containers('1.env.*.name'), ['A', 'C']);
  assert.deepEqual(await containers('0.env.*.name'), ['M']);
  assert.equal(await containers('1.image'), 'web:2');
  assert.equal((await api.request('GET', settings)).status, 404);
  assert.deepEqual((await api.request('GET', gadget)).at('spec'), { parts: ['z'], size: 1 });
});

test('the same values again change nothing', async () => {
  const version = async (): Promise<unknown> =>
    (await api.request('GET', deployment)).at('metadata.generation');
  const before = await version();
  await helm.upgrade(chart(second));
  assert.equal(await version(), before);
  const service = await api.request('GET', `/api/v1/namespaces/${namespace}/services/web`);
  assert.match(String(service.at('spec.clusterIP')), /^10\.43\./, 'what the server chose stays');
});

test('a refused upgrade is kept as failed, the one before stays deployed', async () => {
  await assert.rejects(
    helm.upgrade(chart({ ...second, app: 'other' })),
    /Deployment\.apps "web" is invalid: spec\.selector: Invalid value: .*: field is immutable/,
  );
  assert.deepEqual(
    (await helm.history()).map(({ status }) => status),
    ['superseded', 'superseded', 'deployed', 'failed'],
  );
});

test('a rollback brings back an old revision as a new one', async () => {
  await helm.rollback(1);
  assert.deepEqual(await containers('1.env.*.name'), ['A', 'B']);
  assert.equal(await containers('1.image'), 'web:1');
  assert.deepEqual(await containers('*.name'), ['injected', 'main']);
  assert.deepEqual((await api.request('GET', settings)).at('data'), { mode: 'x' });
  assert.deepEqual((await api.request('GET', gadget)).at('spec.parts'), ['x', 'y']);
  const releases = await helm.history();
  assert.deepEqual([releases.at(-1)?.version, releases.at(-1)?.status], [5, 'deployed']);
});

test('an uninstall leaves nothing', async () => {
  await helm.uninstall();
  for (const path of [deployment, gadget, settings]) {
    await api.until(path, ({ status }) => status === 404);
  }
  await api.until(
    `/apis/apps/v1/namespaces/${namespace}/replicasets`,
    (answer) => (answer.at('items') as object[]).length === 0,
  );
  assert.deepEqual(await helm.history(), []);
});
