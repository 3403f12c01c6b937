/**
 * Programs that share objects, as Argo CD, cert-manager and autoscalers do: one applies from a
 * repository, one works on its kind and writes status, one scales, and nobody undoes another's work.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CoreV1Api, CustomObjectsApi, KubeConfig, makeInformer } from '@kubernetes/client-node';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { FakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import { at } from './answer.ts';
import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const group = 'certs.example.com';
const namespace = 'default';
const certificates = (version: string, name = ''): string =>
  `/apis/${group}/${version}/namespaces/${namespace}/certificates${name === '' ? '' : `/${name}`}`;
const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/shop`;
const secret = `/api/v1/namespaces/${namespace}/secrets/shop-tls`;

interface Certificate extends KubernetesObject {
  spec: { dnsName?: string; dnsNames?: string[]; secretName: string };
  status?: { conditions?: { type: string; status: string }[]; revision?: number };
}

const text = { type: 'string' };
const status = {
  type: 'object',
  properties: {
    revision: { type: 'integer' },
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status'],
        properties: { type: text, status: text, reason: text },
      },
    },
  },
};
const namesOfHosts = { type: 'array', items: text, 'x-kubernetes-list-type': 'set' };

function definition(webhook: FakeWebhook): object {
  const version = (name: string, isStored: boolean, spec: object): object => ({
    name,
    served: true,
    storage: isStored,
    deprecated: !isStored,
    subresources: { status: {} },
    additionalPrinterColumns: [
      {
        name: 'Ready',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      },
    ],
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', required: ['secretName'], properties: spec },
          status,
        },
      },
    },
  });
  return {
    metadata: { name: `certificates.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'certificates', singular: 'certificate', kind: 'Certificate' },
      conversion: {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1'],
          clientConfig: { url: `${webhook.url}/convert`, caBundle: webhook.caBundle },
        },
      },
      versions: [
        version('v1alpha1', false, { dnsName: text, dnsNames: namesOfHosts, secretName: text }),
        version('v1', true, { dnsNames: namesOfHosts, secretName: text }),
      ],
    },
  };
}

/** The one name of v1alpha1 is the first of the list of v1. */
function convert(object: Certificate, apiVersion: string): Certificate {
  const { dnsName, dnsNames = [], ...rest } = object.spec;
  if (apiVersion.endsWith('/v1')) {
    const names = dnsName === undefined ? dnsNames : [dnsName, ...dnsNames];
    return { ...object, apiVersion, spec: { ...rest, dnsNames: names } };
  }
  const [first, ...others] = dnsNames;
  const more = others.length === 0 ? {} : { dnsNames: others };
  return { ...object, apiVersion, spec: { ...rest, ...(first && { dnsName: first }), ...more } };
}

describe('programs that share objects', () => {
  let api: TestApi;
  let webhook: FakeWebhook;
  let stopIssuer: () => Promise<void>;

  const apply = (path: string, manager: string, body: object, query = ''): Promise<Answer> => {
    const headers = { 'Content-Type': 'application/apply-patch+yaml' };
    return api.request('PATCH', `${path}?fieldManager=${manager}${query}`, { headers, body });
  };
  const tracked = { 'app.kubernetes.io/instance': 'shop' };

  /** What the repository says; nothing about replicas, they are the autoscaler's. */
  const repository = (host: string): readonly (readonly [string, object])[] => {
    const metadata = { name: 'shop', namespace, labels: tracked };
    const labels = { app: 'shop' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: labels }, template };
    return [
      [deployment, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }],
      [
        certificates('v1alpha1', 'shop'),
        {
          apiVersion: `${group}/v1alpha1`,
          kind: 'Certificate',
          metadata,
          spec: { dnsName: host, secretName: 'shop-tls' },
        },
      ],
    ];
  };
  const sync = async (host: string): Promise<void> => {
    for (const [path, object] of repository(host)) {
      const answer = await apply(path, 'argocd-controller', object, '&force=true');
      assert.ok(answer.status < 300, answer.text);
    }
  };

  /** Works on v1: a Secret for each certificate, and a condition that says so. */
  async function runIssuer(): Promise<() => Promise<void>> {
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const custom = config.makeApiClient(CustomObjectsApi);
    const core = config.makeApiClient(CoreV1Api);
    const query = { group, version: 'v1', plural: 'certificates' };
    const list = async (): Promise<KubernetesListObject<Certificate>> =>
      (await custom.listClusterCustomObject(query)) as KubernetesListObject<Certificate>;
    const informer = makeInformer<Certificate>(config, `/apis/${group}/v1/certificates`, list);
    const issue = async ({ metadata, spec }: Certificate): Promise<void> => {
      const { name = '', uid = '' } = metadata ?? {};
      const owner = { apiVersion: `${group}/v1`, kind: 'Certificate', name, uid, controller: true };
      const data = { 'tls.crt': spec.dnsNames?.join(',') ?? '', 'tls.key': 'k' };
      const body = {
        metadata: { name: spec.secretName, ownerReferences: [owner] },
        type: 'kubernetes.io/tls',
        stringData: data,
      };
      await core
        .createNamespacedSecret({ namespace, body })
        .catch(() => core.replaceNamespacedSecret({ namespace, name: spec.secretName, body }));
      const condition = { type: 'Ready', status: 'True', reason: 'Issued' };
      const identity = { apiVersion: `${group}/v1`, kind: 'Certificate', metadata: { name } };
      const done = { ...identity, status: { revision: 1, conditions: [condition] } };
      await apply(`${certificates('v1', name)}/status`, 'issuer', done, '&force=true');
    };
    informer.on('change', (one) => void issue(one).catch(() => undefined));
    await informer.start();
    return () => informer.stop();
  }

  before(async () => {
    webhook = await startFakeWebhook(({ body }) => {
      const { request } = body as {
        request: { uid: string; desiredAPIVersion: string; objects: Certificate[] };
      };
      const { uid, desiredAPIVersion, objects } = request;
      const convertedObjects = objects.map((object) => convert(object, desiredAPIVersion));
      const response = { uid, convertedObjects, result: { status: 'Success' } };
      return { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response };
    });
    api = await startTestApi({ disableScheduler: true });
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await api.request('POST', definitions, { body: definition(webhook) });
    await api.until(certificates('v1'), (answer) => answer.status === 200);
    stopIssuer = await runIssuer();
  });
  after(async () => {
    await stopIssuer();
    await api.close();
    await webhook.close();
  });

  test('what is applied in an old version is worked on in the new one', async () => {
    await sync('shop.example.com');
    const live = await api.until(certificates('v1', 'shop'), ({ json }) =>
      Boolean(at(json, 'status.revision')),
    );
    assert.deepEqual(live.at('spec'), { dnsNames: ['shop.example.com'], secretName: 'shop-tls' });
    const old = await api.request('GET', certificates('v1alpha1', 'shop'));
    assert.equal(old.at('spec.dnsName'), 'shop.example.com');
    const { warnings } = old;
    const warning = `${group}/v1alpha1 Certificate is deprecated; use ${group}/v1 Certificate`;
    assert.deepEqual(warnings, [warning]);
    const table = await api.kubectl(['get', `certificates.${group}`]);
    assert.match(table.stdout, /^NAME +READY\nshop +True\n$/);
    const made = await api.request('GET', secret);
    assert.equal(
      Buffer.from(String(made.at(['data', 'tls.crt'])), 'base64').toString(),
      'shop.example.com',
    );
  });

  test('each has its own fields, by version and subresource', async () => {
    const live = await api.request('GET', certificates('v1', 'shop'));
    const entries = live.at('metadata.managedFields') as Record<string, unknown>[];
    assert.deepEqual(
      entries.map((entry) => [entry['manager'], entry['apiVersion'], entry['subresource']]).sort(),
      [
        ['argocd-controller', `${group}/v1alpha1`, undefined],
        ['issuer', `${group}/v1`, 'status'],
      ],
    );
    const generation = live.at('metadata.generation');
    await sync('shop.example.com');
    const again = await api.request('GET', certificates('v1', 'shop'));
    assert.equal(again.at('metadata.resourceVersion'), live.at('metadata.resourceVersion'));
    assert.equal(again.at('metadata.generation'), generation);
  });

  test('what differs from the repository is found by a dry run, and mended', async () => {
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const body = { metadata: { labels: { 'app.kubernetes.io/instance': 'other' } } };
    await api.request('PATCH', `${deployment}?fieldManager=hand`, { body, headers });
    const [[, wanted] = ['', {}]] = repository('shop.example.com');
    const conflict = await apply(deployment, 'argocd-controller', wanted);
    assert.equal(conflict.status, 409);
    assert.match(conflict.text, /conflict with \\"hand\\" using apps\/v1: \.metadata\.labels\.app/);
    const dry = await apply(deployment, 'argocd-controller', wanted, '&force=true&dryRun=All');
    const live = await api.request('GET', deployment);
    assert.notDeepEqual(dry.at('metadata.labels'), live.at('metadata.labels'));
    assert.deepEqual(dry.at('spec'), live.at('spec'));
    await sync('shop.example.com');
    assert.deepEqual((await api.request('GET', deployment)).at('metadata.labels'), tracked);
  });

  test('an autoscaler keeps the replicas that the repository is silent about', async () => {
    const scale = await api.request('GET', `${deployment}/scale`);
    const wanted = { ...(scale.json as object), spec: { replicas: 4 } };
    const scaled = await api.request('PUT', `${deployment}/scale?fieldManager=scaler`, {
      body: wanted,
    });
    assert.equal(scaled.at('spec.replicas'), 4);
    await sync('shop.example.com');
    assert.equal((await api.request('GET', deployment)).at('spec.replicas'), 4);
  });

  test('entries of a set stay with those who added them', async () => {
    const names = (...dnsNames: string[]): object => ({
      apiVersion: `${group}/v1`,
      kind: 'Certificate',
      metadata: { name: 'shop' },
      spec: { dnsNames },
    });
    const path = certificates('v1', 'shop');
    await apply(path, 'ingress-shim', names('shop.example.com'));
    const added = await apply(path, 'gateway-shim', names('extra.example.com'));
    assert.deepEqual(added.at('spec.dnsNames'), ['shop.example.com', 'extra.example.com']);
    const dropped = await apply(path, 'gateway-shim', names());
    assert.deepEqual(dropped.at('spec.dnsNames'), ['shop.example.com'], dropped.text);
    await sync('new.example.com');
    await api.until(secret, (answer) =>
      Buffer.from(String(answer.at(['data', 'tls.crt'])), 'base64')
        .toString()
        .startsWith('new.'),
    );
  });

  test('all that bears the label is found through discovery and pruned', async () => {
    const groups = await api.request('GET', '/apis', {
      headers: { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
    });
    const found: string[] = [];
    for (const item of groups.at('items') as { metadata: { name: string }; versions: object[] }[]) {
      const { version, resources } = item.versions[0] as {
        version: string;
        resources: { resource: string; verbs: string[]; scope: string }[];
      };
      for (const { resource, verbs, scope } of resources) {
        if (!verbs.includes('list') || scope !== 'Namespaced') continue;
        const path = `/apis/${item.metadata.name}/${version}/namespaces/${namespace}/${resource}`;
        const query = `labelSelector=${encodeURIComponent('app.kubernetes.io/instance=shop')}`;
        const list = await api.request('GET', `${path}?${query}`);
        for (const name of list.at('items.*.metadata.name') as string[])
          found.push(`${path}/${name}`);
      }
    }
    assert.deepEqual(found.sort(), [certificates('v1', 'shop'), deployment].sort());
    for (const path of found) {
      await api.request('DELETE', path, { body: { propagationPolicy: 'Foreground' } });
    }
    for (const path of [...found, secret]) {
      await api.until(path, (answer) => answer.status === 404);
    }
  });
});
