/** APIServices: those of this server, and an extension API server that becomes part of the API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { request as httpsRequest } from 'node:https';
import { ApiregistrationV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';

import { at } from './answer.ts';
import { extensionGroup, startExtensionServer } from './extension-server.ts';
import type { ExtensionServer } from './extension-server.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const services = '/apis/apiregistration.k8s.io/v1/apiservices';
const name = 'v1alpha1.wardle.example.com';
const flunders = `/apis/${extensionGroup}/namespaces/default/flunders`;
let api: TestApi;
let extension: ExtensionServer;

interface Conditioned {
  status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
}

const conditionOf = (json: unknown): string => {
  const [condition] = (json as Conditioned).status?.conditions ?? [];
  return condition === undefined
    ? ''
    : `${condition.status} ${condition.reason}: ${condition.message}`;
};

before(async () => {
  api = await startTestApi({ disableScheduler: true });
  extension = await startExtensionServer({
    name: 'wardle',
    namespace: 'default',
    dataDir: api.dataDir,
  });
});

after(async () => {
  extension.close();
  await api.close();
});

const apiService = (spec: object = {}): object => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name },
  spec: {
    group: 'wardle.example.com',
    version: 'v1alpha1',
    groupPriorityMinimum: 2000,
    versionPriority: 200,
    caBundle: extension.caBundle,
    service: { name: 'wardle', namespace: 'default', port: extension.port },
    ...spec,
  },
});

describe('APIServices of this server', () => {
  test('exist for every built-in group version, as Local', async () => {
    const answer = await api.until(services, ({ json }) => {
      const { items } = json as { items: (Conditioned & object)[] };
      return items.length >= 21 && items.every((item) => conditionOf(item).startsWith('True'));
    });
    const { items } = answer.json as { items: { metadata: { name: string }; spec: object }[] };
    const apps = items.find(({ metadata }) => metadata.name === 'v1.apps');
    assert.deepEqual(apps?.spec, {
      group: 'apps',
      version: 'v1',
      groupPriorityMinimum: 17800,
      versionPriority: 15,
    });
    assert.equal(conditionOf(apps), 'True Local: Local APIServices are always available');
    assert.ok(!items.some(({ metadata }) => metadata.name.endsWith('apiregistration.k8s.io')));
    const { stdout } = await api.kubectl(['get', 'apiservices', 'v1.', 'v2.autoscaling']);
    assert.match(stdout, /^NAME +SERVICE +AVAILABLE +AGE\nv1\. +Local +True +\S+\nv2\.auto/);
    assert.equal((await api.request('GET', '/readyz/autoregister-completion')).text, 'ok');
  });

  test('those of a definition are kept in place and go with it', async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'toys.acme.com' },
      spec: {
        group: 'acme.com',
        scope: 'Namespaced',
        names: { plural: 'toys', kind: 'Toy', singular: 'toy', listKind: 'ToyList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    };
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const path = `${services}/v1.acme.com`;
    assert.equal((await api.request('POST', definitions, { body: definition })).status, 201);
    const made = await api.until(path, ({ status }) => status === 200);
    const automanaged = 'kube-aggregator.kubernetes.io/automanaged';
    assert.equal(at(made.json, ['metadata', 'labels', automanaged]), 'true');
    assert.equal(at(made.json, 'spec.groupPriorityMinimum'), 1000);
    assert.equal(at(made.json, 'spec.versionPriority'), 100);
    await api.request('DELETE', path);
    await api.until(path, ({ status, json }) => {
      return status === 200 && at(json, 'metadata.uid') !== at(made.json, 'metadata.uid');
    });
    await api.request('DELETE', `${definitions}/toys.acme.com`);
    await api.until(path, ({ status }) => status === 404);
  });
});

test('whom extension servers trust is kept in its place', async () => {
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const before = await api.until(path, ({ status }) => status === 200);
  assert.deepEqual(Object.keys(at(before.json, 'data') as object).sort(), [
    'client-ca-file',
    'requestheader-allowed-names',
    'requestheader-client-ca-file',
    'requestheader-extra-headers-prefix',
    'requestheader-group-headers',
    'requestheader-uid-headers',
    'requestheader-username-headers',
  ]);
  await api.request('PATCH', path, {
    body: JSON.stringify({ data: { 'requestheader-allowed-names': '[]', other: 'x' } }),
    headers: { 'Content-Type': 'application/merge-patch+json' },
  });
  const names = '["system:auth-proxy"]';
  const kept = await api.until(path, ({ json }) => {
    return at(json, 'data.requestheader-allowed-names') === names;
  });
  assert.equal(at(kept.json, 'data.other'), 'x');
  await api.request('DELETE', path);
  const again = await api.until(path, ({ status }) => status === 200);
  assert.deepEqual(at(again.json, 'data'), at(before.json, 'data'));
});

describe('an extension server', () => {
  test('is unavailable until its Service is there', async () => {
    assert.equal((await api.request('POST', services, { body: apiService() })).status, 201);
    const missing = await api.until(`${services}/${name}`, ({ json }) => conditionOf(json) !== '');
    assert.equal(
      conditionOf(missing.json),
      'False ServiceNotFound: service/wardle in "default" is not present',
    );
    const refused = await api.request('GET', flunders);
    assert.equal(refused.status, 503);
    assert.equal(refused.text, 'service unavailable\n');
    const stale = await api.request('GET', '/apis', {
      headers: { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
    });
    const { items } = stale.json as { items: { metadata: { name: string }; versions: object[] }[] };
    const group = items.find(({ metadata }) => metadata.name === 'wardle.example.com');
    assert.deepEqual(group?.versions, [{ version: 'v1alpha1', freshness: 'Stale' }]);
    const get = await api.kubectl(['get', 'apiservice', name]);
    assert.match(get.stdout, /default\/wardle +False \(ServiceNotFound\)/);
  });

  test('becomes part of the API with its Service', async () => {
    // The endpoints of a Service may not be on loopback, an outside name may lead there.
    const service = {
      metadata: { name: 'wardle' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    };
    await api.request('POST', '/api/v1/namespaces/default/services', { body: service });
    const found = await api.until(`${services}/${name}`, ({ json }) =>
      conditionOf(json).startsWith('True'),
    );
    assert.equal(conditionOf(found.json), 'True Passed: all checks passed');
    const answer = await api.request('GET', flunders);
    assert.equal(at(answer.json, 'items.0.metadata.name'), 'one');
    const groups = await api.request('GET', '/apis');
    const names = (groups.json as { groups: { name: string }[] }).groups.map((one) => one.name);
    // groups in process, such as metrics.k8s.io, stand beside those behind Services
    assert.ok(names.indexOf('wardle.example.com') > names.indexOf('apps'), names.join());
    const none = await api.request('GET', '/apis/wardle.example.com/v9/flunders');
    assert.equal(none.status, 404);
  });

  test('is told who asks and gets no credentials', async () => {
    extension.seen.length = 0;
    const answer = await api.request('POST', flunders, {
      body: { kind: 'Flunder', apiVersion: extensionGroup, metadata: { name: 'two' } },
      headers: {
        'Impersonate-User': 'jane',
        'Impersonate-Group': ['devs', 'system:masters'],
        'Impersonate-Uid': 'u-7',
        'Impersonate-Extra-acme.com%2Fteam': 'a',
        'X-Remote-Group': 'forged',
      },
    });
    assert.equal(answer.status, 201);
    assert.equal(at(answer.json, 'metadata.name'), 'two');
    const [seen] = extension.seen;
    assert.deepEqual(seen?.headers['x-remote-user'], ['jane']);
    assert.deepEqual(seen?.headers['x-remote-uid'], ['u-7']);
    assert.deepEqual(seen?.headers['x-remote-group'], [
      'devs',
      'system:masters',
      'system:authenticated',
    ]);
    assert.deepEqual(seen?.headers['x-remote-extra-acme.com%2fteam'], ['a']);
    assert.equal(seen?.headers['impersonate-user'], undefined);
    assert.equal(seen?.headers['authorization'], undefined);
    assert.match(seen?.headers['x-forwarded-for']?.[0] ?? '', /127\./);
  });

  test('is asked only for what the user may do', async () => {
    extension.seen.length = 0;
    const jane = await api.identity('jane');
    const answer = await api.request('GET', flunders, { as: jane });
    assert.equal(answer.status, 403);
    assert.match(
      String(at(answer.json, 'message')),
      /cannot list resource "flunders" in API group "wardle.example.com" in the namespace "default"/,
    );
    assert.equal(extension.seen.length, 0);
  });

  test('streams watches', async () => {
    const watch = await api.watch(`${flunders}?watch=1`);
    assert.equal((await watch.next())?.type, 'ADDED');
    assert.equal((await watch.next())?.type, 'MODIFIED');
    watch.close();
  });

  test('switches protocols', async () => {
    const upgraded = await new Promise<string>((resolve, reject) => {
      const request = httpsRequest({
        host: api.host,
        port: api.port,
        path: `${flunders}/one/echo`,
        ca: api.ca,
        ...api.admin,
        headers: { Connection: 'Upgrade', Upgrade: 'echo' },
      });
      request.on('error', reject);
      request.on('response', ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
      request.on('upgrade', (_response, socket) => {
        socket.write('ping');
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString());
        });
      });
      request.end();
    });
    assert.equal(upgraded, 'ping');
    assert.deepEqual(extension.seen.at(-1)?.headers['x-remote-user'], ['system:admin']);
  });

  test('shows in discovery, for kubectl and client-node', async () => {
    await api.until(`/openapi/v3/apis/${extensionGroup}`, ({ status }) => status === 200);
    const listed = await api.kubectl(['api-resources', '--api-group=wardle.example.com']);
    assert.match(listed.stdout, /flunders +fl +wardle.example.com\/v1alpha1 +true +Flunder/);
    const got = await api.kubectl(['get', 'fl', '-o', 'name']);
    assert.equal(got.stdout, 'flunder.wardle.example.com/one\n', got.stderr);
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const list = (await config.makeApiClient(CustomObjectsApi).listNamespacedCustomObject({
      group: 'wardle.example.com',
      version: 'v1alpha1',
      namespace: 'default',
      plural: 'flunders',
    })) as { items: object[] };
    assert.equal(list.items.length, 1);
    const read = await config.makeApiClient(ApiregistrationV1Api).readAPIService({ name });
    assert.equal(read.status?.conditions?.[0]?.reason, 'Passed');
  });

  test('has its part in both OpenAPI documents', async () => {
    const root = await api.request('GET', '/openapi/v3');
    const paths = (root.json as { paths: Record<string, { serverRelativeURL: string }> }).paths;
    const address = paths[`apis/${extensionGroup}`]?.serverRelativeURL ?? '';
    assert.match(address, /\?hash=[0-9A-F]{128}$/);
    const v3 = await api.request('GET', address);
    assert.equal(v3.headers['cache-control'], 'public, immutable');
    const place = 'components schemas com.example.Flunder properties spec $ref';
    const reference = at(v3.json, place.split(' '));
    assert.equal(reference, '#/components/schemas/com.example.FlunderSpec');
    const v2 = await api.request('GET', '/openapi/v2');
    const merged = v2.json as { paths: object; definitions: object };
    assert.ok(Object.hasOwn(merged.paths, `/apis/${extensionGroup}/flunders`));
    assert.ok(Object.hasOwn(merged.definitions, 'com.example.FlunderSpec'));
    assert.ok(!Object.hasOwn(merged.definitions, 'com.example.Unused'));
    const explained = await api.kubectl(['explain', 'flunders.spec.size']);
    assert.match(explained.stdout, /FIELD: size <integer>/, explained.stderr);
  });

  test('is unavailable when it does not answer, and gone with its APIService', async () => {
    extension.failWith = 500;
    // A changed Service is looked at again at once.
    const patch = JSON.stringify({ metadata: { labels: { touched: 'yes' } } });
    await api.request('PATCH', '/api/v1/namespaces/default/services/wardle', {
      body: patch,
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    const failed = await api.until(`${services}/${name}`, ({ json }) =>
      conditionOf(json).startsWith('False'),
    );
    const url = `https://localhost:${extension.port}/apis/${extensionGroup}`;
    assert.equal(
      conditionOf(failed.json),
      `False FailedDiscoveryCheck: failing or missing response from ${url}: bad status from ${url}: 500`,
    );
    assert.equal((await api.request('GET', flunders)).status, 503);
    await api.request('DELETE', `${services}/${name}`);
    await api.until(flunders, ({ status }) => status === 404);
    const groups = await api.request('GET', '/apis');
    assert.ok(!groups.text.includes('wardle'));
  });
});
