import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { catalog } from '#schema/mod.ts';

import type { PathAnswer, PathRequest } from '../path-route.ts';
import { PathRouter } from '../path-route.ts';
import { createOpenApiRoutes } from './openapi-routes.ts';

function setUp() {
  const resources = catalog.all.filter((info) => info.group === 'apps' || info.group === 'batch');
  const openapi = createOpenApiRoutes({
    resources: () => resources,
    version: 'v1.36.2',
    nowMs: () => Date.UTC(2026, 0, 1),
  });
  const router = new PathRouter();
  for (const route of openapi.routes) router.add(route);
  return async (path: string, headers: object = {}): Promise<PathAnswer | undefined> => {
    const [only = '', query = ''] = path.split('?');
    const context = { query: new URLSearchParams(query) };
    const request = { method: 'GET', path: only, headers, context } as unknown as PathRequest;
    return await router.find(only)?.handle(request);
  };
}

describe('openapi', () => {
  it('serves version 2 as JSON, compressed and by its tag', async () => {
    const get = setUp();
    const plain = await get('/openapi/v2');
    const document = JSON.parse(String(plain?.body)) as { swagger: string };
    assert.equal(document.swagger, '2.0');
    const zipped = await get('/openapi/v2', { 'accept-encoding': 'deflate, gzip' });
    assert.equal(zipped?.headers?.['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(zipped?.body as Buffer), plain?.body);
    const known = { 'if-none-match': plain?.headers?.['etag'] };
    assert.equal((await get('/openapi/v2', known))?.status, 304);
  });

  it('serves version 2 as protobuf to clients that ask', async () => {
    const get = setUp();
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const answer = await get('/openapi/v2', { accept });
    assert.equal(
      answer?.headers?.['content-type'],
      'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    );
    assert.equal((answer?.body as Buffer | undefined)?.[0], 0x0a);
  });

  it('serves nothing to clients that take no form of a document; the list of documents has one', async () => {
    const get = setUp();
    const cases: [path: string, accept: string, status: number][] = [
      ['/openapi/v2', 'text/plain', 406],
      ['/openapi/v2', 'application/vnd.kubernetes.protobuf', 406],
      ['/openapi/v2', 'application/vnd.kubernetes.protobuf, */*', 200],
      ['/openapi/v2', '', 200],
      ['/openapi/v3/apis/apps/v1', 'text/plain', 406],
      ['/openapi/v3/apis/apps/v1', 'text/plain,application/json;q=0.5', 200],
      [
        '/openapi/v3/apis/apps/v1',
        'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
        406,
      ],
      ['/openapi/v3', 'text/plain', 200],
    ];
    for (const [path, accept, status] of cases) {
      const answer = await get(path, { accept });
      assert.equal(answer?.status, status, `${path} ${accept}`);
      if (status === 406) assert.equal(String(answer?.body), '');
    }
  });

  it('lists the documents of version 3, and serves one by its hash for ever', async () => {
    const get = setUp();
    const root = JSON.parse(String((await get('/openapi/v3'))?.body)) as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const url = root.paths['apis/apps/v1']?.serverRelativeURL ?? '';
    const answer = await get(url);
    assert.equal(answer?.headers?.['cache-control'], 'public, immutable');
    assert.equal(answer?.headers?.['expires'], 'Fri, 01 Jan 2027 00:00:00 GMT');
    assert.equal((JSON.parse(String(answer?.body)) as { openapi: string }).openapi, '3.0.0');
    const moved = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    assert.equal(moved?.status, 301);
    assert.equal(moved?.headers?.['location'], url);
    assert.equal(await get('/openapi/v3/apis/none/v1'), undefined);
  });
});
