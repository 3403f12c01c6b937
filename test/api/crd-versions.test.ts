import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { FakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import type { Answer } from './answer.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const group = 'versions.example.com';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const pathOf = (version: string, name = ''): string =>
  `/apis/${group}/${version}/hosts${name === '' ? '' : `/${name}`}`;

const text = { type: 'string' };
const one = { type: 'object', properties: { hostPort: text, host: text } };
const two = { type: 'object', properties: { host: text, port: text } };

interface Host {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  hostPort?: string;
  host?: string;
  port?: string;
}

function definition(conversion: object, storage = 'v1'): object {
  const version = (name: string, openAPIV3Schema: object): object => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `hosts.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'hosts', kind: 'Host' },
      conversion,
      versions: [version('v1', one), version('v2', two)],
    },
  };
}

/** hostPort in v1 is host and port in v2. */
function convertHost(object: Host, apiVersion: string): Host {
  const { hostPort, host, port, ...rest } = object;
  if (apiVersion.endsWith('v2')) {
    const [left = '', right = ''] = (hostPort ?? '').split(':');
    return { ...rest, apiVersion, host: left, port: right };
  }
  return { ...rest, apiVersion, hostPort: `${host ?? ''}:${port ?? ''}` };
}

describe('versions with a conversion webhook', () => {
  let api: TestApi;
  let webhook: FakeWebhook;
  let failure = '';
  before(async () => {
    webhook = await startFakeWebhook(({ body }) => {
      const { request } = body as {
        request: { uid: string; desiredAPIVersion: string; objects: Host[] };
      };
      const { uid, desiredAPIVersion: wanted } = request;
      const response =
        failure === ''
          ? {
              uid,
              convertedObjects: request.objects.map((object) => convertHost(object, wanted)),
              result: { status: 'Success' },
            }
          : { uid, result: { status: 'Failure', message: failure } };
      return { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response };
    });
    api = await startTestApi();
    const conversion = {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: `${webhook.url}/convert`, caBundle: webhook.caBundle },
      },
    };
    await api.request('POST', definitions, { body: definition(conversion) });
    await api.until(pathOf('v1'), ({ status }) => status === 200);
  });
  after(async () => {
    await api.close();
    await webhook.close();
  });

  it('are read, written and watched in each', async () => {
    const body: Host = {
      apiVersion: `${group}/v2`,
      kind: 'Host',
      metadata: { name: 'a', labels: { x: 'y' } },
      host: 'h',
      port: '80',
    };
    const made = await api.request('POST', pathOf('v2'), { body });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual([made.at('host'), made.at('port')], ['h', '80']);
    const first = await api.request('GET', pathOf('v1', 'a'));
    assert.equal(first.at('hostPort'), 'h:80');
    assert.deepEqual(first.at('metadata.labels'), { x: 'y' });
    const watch = await api.watch(`${pathOf('v2')}?watch=true`);
    assert.equal((await watch.next())?.object['host'], 'h');
    await api.request('PATCH', pathOf('v1', 'a'), {
      body: { hostPort: 'i:81' },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    const event = await watch.next();
    assert.deepEqual(
      [event?.type, event?.object['host'], event?.object['port']],
      ['MODIFIED', 'i', '81'],
    );
    watch.close();
  });

  it('convert a list in one call', async () => {
    for (const name of ['b', 'c', 'd']) {
      const body = {
        apiVersion: `${group}/v1`,
        kind: 'Host',
        metadata: { name },
        hostPort: `${name}:1`,
      };
      await api.request('POST', pathOf('v1'), { body });
    }
    webhook.calls.length = 0;
    const list = await api.request('GET', pathOf('v2'));
    assert.deepEqual(list.at('items.*.host'), ['i', 'b', 'c', 'd']);
    assert.equal(webhook.calls.length, 1);
    await api.request('GET', pathOf('v2'));
    assert.equal(webhook.calls.length, 1, 'what was converted is kept');
    const shown = await api.kubectl([
      'get',
      `hosts.v2.${group}`,
      '-o',
      'jsonpath={.items[*].port}',
    ]);
    assert.equal(shown.stdout, '81 1 1 1');
  });

  it('have owners of fields that only one of them names', async () => {
    const apply = (version: string, manager: string, fields: object, query = '') =>
      api.request('PATCH', `${pathOf(version, 'owned')}?fieldManager=${manager}${query}`, {
        body: {
          apiVersion: `${group}/${version}`,
          kind: 'Host',
          metadata: { name: 'owned' },
          ...fields,
        },
        headers: { 'Content-Type': 'application/apply-patch+yaml' },
      });
    const entriesOf = (of: Answer, field: string): unknown[] =>
      (of.at(`metadata.managedFields.*.${field}`) as unknown[]).toSorted();
    const made = await apply('v1', 'one', { hostPort: 'h:80' });
    assert.equal(made.status, 201, made.text);
    const same = await apply('v2', 'two', { port: '80' });
    assert.equal(same.status, 200, same.text);
    assert.deepEqual(entriesOf(same, 'apiVersion'), [`${group}/v1`, `${group}/v2`]);
    const refused = await apply('v2', 'three', { host: 'i' });
    assert.equal(refused.status, 409, refused.text);
    assert.equal(
      refused.at('message'),
      'Apply failed with 1 conflict: conflict with "one": .hostPort',
    );
    const forced = await apply('v2', 'three', { host: 'i' }, '&force=true');
    assert.deepEqual(entriesOf(forced, 'manager'), ['three', 'two']);
    const merged = await api.request('PATCH', `${pathOf('v1', 'owned')}?fieldManager=editor`, {
      body: { hostPort: 'i:81' },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    assert.deepEqual(entriesOf(merged, 'manager'), ['editor', 'three']);
    await api.request('DELETE', pathOf('v1', 'owned'));
  });

  it('tell what the webhook refuses', async () => {
    const body = {
      apiVersion: `${group}/v1`,
      kind: 'Host',
      metadata: { name: 'z' },
      hostPort: 'z:1',
    };
    await api.request('POST', pathOf('v1'), { body });
    failure = 'cannot do that';
    const answer = await api.request('GET', pathOf('v2', 'z'));
    failure = '';
    assert.equal(answer.status, 500);
    assert.equal(
      answer.at('message'),
      'conversion webhook for versions.example.com/v1, Kind=Host failed: cannot do that',
    );
    assert.equal(answer.at('reason'), undefined);
    assert.equal((await api.request('GET', pathOf('v1', 'z'))).status, 200);
  });
});

describe('versions that differ in their names', () => {
  let dataDir: string;
  let endpoint: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'k3ts-crd-'));
    endpoint = `sqlite://${join(dataDir, 'state.db')}`;
  });
  after(async () => await rm(dataDir, { recursive: true, force: true }));

  it('survive a restart and a change of the storage version', async () => {
    const open = { type: 'object', properties: { host: { ...text, default: 'none' } } };
    const none = (storage: string): object => {
      const made = definition({ strategy: 'None' }, storage) as {
        spec: { versions: { schema: object }[] };
      };
      for (const version of made.spec.versions) version.schema = { openAPIV3Schema: open };
      return made;
    };
    const first = await startTestApi({ datastoreEndpoint: endpoint });
    try {
      await first.request('POST', definitions, { body: none('v1') });
      await first.until(pathOf('v1'), ({ status }) => status === 200);
      const body = { apiVersion: `${group}/v1`, kind: 'Host', metadata: { name: 'old' } };
      const made = await first.request('POST', pathOf('v1'), { body });
      assert.equal(made.at('host'), 'none');
      const current = await first.request('GET', `${definitions}/hosts.${group}`);
      const changed = { ...(current.json as object), spec: (none('v2') as { spec: object }).spec };
      const updated = await first.request('PUT', `${definitions}/hosts.${group}`, {
        body: changed,
      });
      assert.deepEqual(updated.at('status.storedVersions'), ['v1', 'v2'], updated.text);
      await first.request('POST', pathOf('v1'), { body: { ...body, metadata: { name: 'new' } } });
    } finally {
      await first.close();
    }
    const second = await startTestApi({ datastoreEndpoint: endpoint });
    try {
      for (const version of ['v1', 'v2']) {
        const list = await second.request('GET', pathOf(version));
        assert.deepEqual(list.at('items.*.metadata.name'), ['new', 'old']);
        assert.deepEqual(list.at('items.*.apiVersion'), Array(2).fill(`${group}/${version}`));
      }
      const old = await second.request('GET', pathOf('v2', 'old'));
      const same = await second.request('PUT', pathOf('v2', 'old'), { body: old.json });
      const versions = [old, same].map((answer) => answer.at('metadata.resourceVersion'));
      assert.notEqual(versions[0], versions[1], 'written again in the version that is stored now');
      const again = await second.request('PUT', pathOf('v2', 'old'), { body: same.json });
      assert.equal(again.at('metadata.resourceVersion'), versions[1]);
    } finally {
      await second.close();
    }
  });
});
