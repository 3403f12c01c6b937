/** Forms of answers, errors of requests, and what the API tells of itself. */
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import type { Answer } from './answer.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const namespace = '/api/v1/namespaces/default';
const maps = `${namespace}/configmaps`;
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const protobuf = 'application/vnd.kubernetes.protobuf';
let api: TestApi;

before(async () => {
  api = await startTestApi({ disableControllerManager: true });
  await api.request('POST', maps, { body: { metadata: { name: 'shown' }, data: { a: '1' } } });
});

after(() => api.close());

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return await api.request('GET', path, { headers });
}

describe('forms', () => {
  test('table and metadata of one object and of a list', async () => {
    const table = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    for (const path of [`${maps}/shown`, maps]) {
      const answer = await get(path, table);
      assert.equal(answer.at('kind'), 'Table');
      assert.deepEqual(answer.at('columnDefinitions.*.name'), ['Name', 'Data', 'Age']);
      assert.deepEqual((answer.at('rows.0.cells') as unknown[]).slice(0, 2), ['shown', 1]);
    }
    for (const [include, kind] of [
      ['None', undefined],
      ['Metadata', 'PartialObjectMetadata'],
      ['Object', 'ConfigMap'],
    ]) {
      const answer = await get(`${maps}?includeObject=${include}`, table);
      assert.equal(answer.at('rows.0.object.kind'), kind);
    }
    const one = await get(`${maps}/shown`, {
      Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
    assert.deepEqual([one.at('kind'), one.at('data')], ['PartialObjectMetadata', undefined]);
    const list = await get(maps, {
      Accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    });
    assert.equal(list.at('items.0.metadata.name'), 'shown');
  });

  test('the first form of the header that can be served is taken', async () => {
    const answer = await get(`${maps}/shown`, {
      Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    });
    assert.equal(answer.at('kind'), 'Table');
    const fallback = await get('/version', { Accept: 'application/json;as=Table,*/*' });
    assert.equal(fallback.at('major'), '1');
  });

  test('protobuf out and in', async () => {
    const out = await get(`${maps}/shown`, { Accept: protobuf });
    assert.equal(out.headers['content-type'], protobuf);
    assert.equal(out.bytes.subarray(0, 4).toString('latin1'), 'k8s\0');
    const back = await api.request('PUT', `${maps}/shown`, {
      body: out.bytes,
      headers: { 'Content-Type': protobuf },
    });
    assert.deepEqual([back.status, back.at('data')], [200, { a: '1' }]);
  });

  test('people get lines, tools get bytes; long answers are packed', async () => {
    const lines = async (path: string, agent: string): Promise<boolean> =>
      (await get(path, { 'User-Agent': agent })).text.includes('\n  "');
    assert.equal(await lines(`${maps}/shown`, 'curl/8.0'), true);
    assert.equal(await lines(`${maps}/shown?pretty=false`, 'curl/8.0'), false);
    assert.equal(await lines(`${maps}/shown`, 'kubectl/1.36'), false);
    assert.equal(await lines(`${maps}/shown?pretty=true`, 'kubectl/1.36'), true);
    const packed = await get('/openapi/v2', { 'Accept-Encoding': 'gzip' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(at(JSON.parse(gunzipSync(packed.bytes).toString()), 'swagger'), '2.0');
    const short = await get(`${maps}/shown`, { 'Accept-Encoding': 'gzip' });
    assert.equal(short.headers['content-encoding'], undefined);
  });

  test('HTTP/2 carries requests and bodies', async () => {
    const session = connect(api.url, { ca: api.ca, ...api.admin });
    const stream = session.request({
      ':method': 'POST',
      ':path': `${maps}?dryRun=All`,
      'content-type': 'application/json',
    });
    stream.end('{"metadata":{"name":"h2"}}');
    let text = '';
    stream.setEncoding('utf8');
    for await (const chunk of stream) text += String(chunk);
    session.close();
    assert.equal(at(JSON.parse(text), 'metadata.name'), 'h2');
  });
});

describe('errors', () => {
  test('each refusal has its code, reason and text', async () => {
    const routed = 'the server could not find the requested resource';
    const unrouted = 'the server does not allow this method on the requested resource';
    const types = `application/json, application/yaml, ${protobuf}`;
    const unknown =
      'the body of the request was in an unknown format - accepted media types include';
    const patches =
      'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml';
    const cases: [string, string, Record<string, string>, number, string, string][] = [
      ['GET', `${namespace}/none`, {}, 404, 'NotFound', routed],
      ['GET', `${namespace}/nodes`, {}, 404, 'NotFound', routed],
      ['GET', '/api/v1/configmaps/shown', {}, 404, 'NotFound', routed],
      ['GET', `${maps}/shown/status`, {}, 404, 'NotFound', routed],
      ['GET', '/apis/apps/v2/deployments', {}, 404, 'NotFound', routed],
      ['GET', `${maps}/none`, {}, 404, 'NotFound', 'configmaps "none" not found'],
      ['PUT', maps, {}, 405, 'MethodNotAllowed', unrouted],
      ['POST', '/api/v1/configmaps', {}, 405, 'MethodNotAllowed', unrouted],
      ['POST', `${maps}/shown`, {}, 405, 'MethodNotAllowed', unrouted],
      [
        'GET',
        maps,
        { Accept: 'text/html' },
        406,
        'NotAcceptable',
        `only the following media types are accepted: ${types}`,
      ],
      [
        'POST',
        maps,
        { 'Content-Type': 'text/html' },
        415,
        'UnsupportedMediaType',
        `${unknown}: ${types}`,
      ],
      [
        'PATCH',
        `${maps}/shown`,
        { 'Content-Type': 'application/json' },
        415,
        'UnsupportedMediaType',
        `${unknown}: ${patches}`,
      ],
    ];
    for (const [method, path, headers, status, reason, message] of cases) {
      const body = method === 'GET' ? {} : { body: '{}' };
      const answer = await api.request(method, path, { headers, ...body });
      const shown = [answer.status, answer.at('reason'), answer.at('message')];
      assert.deepEqual(shown, [status, reason, message], `${method} ${path}`);
    }
  });

  test('paths outside of all groups get plain text', async () => {
    for (const path of ['/none', '/apis/none.example/v1/things']) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n']);
    }
  });

  test('bodies beyond the limit are refused', async () => {
    const data = { a: 'x'.repeat(3 * 1024 * 1024) };
    const answer = await api.request('POST', maps, { body: { metadata: { name: 'big' }, data } });
    assert.deepEqual(
      [answer.status, answer.at('message')],
      [413, 'Request entity too large: limit is 3145728'],
    );
  });

  test('a failure is written in the form asked for', async () => {
    const answer = await get(`${maps}/none`, { Accept: 'application/yaml' });
    assert.match(answer.text, /^apiVersion: v1\ncode: 404\n/);
  });
});

describe('discovery', () => {
  test('groups and resources, plain and in one document', async () => {
    assert.deepEqual((await get('/api')).at('versions'), ['v1']);
    const groups = (await get('/apis')).at('groups.*.name') as string[];
    for (const name of ['apps', 'batch', 'policy', 'networking.k8s.io']) {
      assert.ok(groups.includes(name), name);
    }
    assert.equal((await get('/apis/autoscaling')).at('preferredVersion.version'), 'v2');
    const resources = (await get('/apis/apps/v1')).at('resources.*.name') as string[];
    for (const name of ['deployments', 'deployments/scale', 'deployments/status']) {
      assert.ok(resources.includes(name), name);
    }
    const document = await get('/apis', { Accept: aggregated });
    assert.equal(document.headers['content-type'], aggregated);
    assert.deepEqual(document.at('items.*.metadata.name'), groups);
    const core = await get('/api', { Accept: aggregated });
    const names = core.at('items.0.versions.0.resources.*.resource') as string[];
    assert.ok(names.includes('pods'));
  });

  test('what did not change is not sent again', async () => {
    for (const [path, accept] of [
      ['/apis', aggregated],
      ['/openapi/v2', 'application/json'],
    ] as const) {
      const first = await get(path, { Accept: accept });
      const again = await get(path, {
        Accept: accept,
        'If-None-Match': String(first.headers.etag),
      });
      assert.deepEqual([again.status, again.text], [304, ''], path);
    }
  });

  test('OpenAPI 3 documents are kept for ever under their hash', async () => {
    const root = await get('/openapi/v3');
    const url = String(root.at(['paths', 'apis/apps/v1', 'serverRelativeURL']));
    assert.match(url, /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
    const document = await get(url);
    assert.equal(document.headers['cache-control'], 'public, immutable');
    const schemas = document.at('components.schemas') as Record<string, unknown>;
    assert.ok('io.k8s.api.apps.v1.Deployment' in schemas);
    const moved = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    assert.deepEqual([moved.status, moved.headers.location], [301, url]);
    const old = await get('/openapi/v2', {
      Accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
    });
    assert.match(String(old.headers['content-type']), /^application\/com\.github\.proto-openapi/);
  });

  test('version and health', async () => {
    const version = await get('/version');
    assert.match(String(version.at('gitVersion')), /^v1\.36\.\d+\+k3ts\d+$/);
    assert.equal((await get('/readyz')).text, 'ok');
    const verbose = await get('/readyz?verbose');
    assert.match(verbose.text, /^\[\+\]ping ok\n[\s\S]*\[\+\]shutdown ok\nreadyz check passed\n$/);
    const without = await get('/livez?verbose&exclude=etcd');
    assert.match(without.text, /\[\+\]etcd excluded: ok\n/);
    assert.equal((await get('/readyz/etcd')).text, 'ok');
    assert.equal((await get('/readyz/none')).status, 404);
  });
});
