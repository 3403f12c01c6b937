import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalog } from '#schema/mod.ts';
import type { OpenApiV2Document } from '#schema/openapi/mod.ts';
import { fromPlainList, toPlainList } from '../discovery/discovered.ts';
import { orderGroups } from '../discovery/group-order.ts';
import { localGroupVersions } from './api-service.ts';
import { mergeOpenApiV2 } from './merge-openapi.ts';
import { toOpenApiV3 } from './openapi-v3.ts';
import { forwardedHeaders } from './proxy-headers.ts';

const other = {
  group: 'acme.com',
  version: 'v1',
  groupPriorityMinimum: 17750,
  versionPriority: 10,
  isStale: false,
  resources: [],
};

describe('group versions of others among the own ones', () => {
  it('are placed by their priority', () => {
    const versions = [
      other,
      { ...other, version: 'v1beta1', versionPriority: 20 },
      { ...other, group: 'last.com', groupPriorityMinimum: 10 },
    ];
    const groups = orderGroups(catalog.all, catalog.groups(), versions);
    const names = groups.map(({ group }) => group);
    assert.equal(names.indexOf('acme.com'), names.indexOf('events.k8s.io') - 1);
    assert.equal(names.at(-1), 'last.com');
    const found = groups.find(({ group }) => group === 'acme.com');
    assert.deepEqual(
      found?.versions.map(({ version }) => version),
      ['v1beta1', 'v1'],
    );
    assert.equal(found?.preferredVersion, 'v1beta1');
  });

  it('are registered but for the versions of built-in groups', () => {
    const spec = {
      group: 'acme.com',
      versions: [
        { name: 'v1', served: true },
        { name: 'v0', served: false },
      ],
    };
    const found = localGroupVersions({
      infos: catalog.all,
      groups: catalog.groups(),
      definitions: [{ metadata: { name: 'x' }, spec } as never],
    });
    assert.deepEqual(
      found.filter(({ management }) => management === 'true').map(({ version }) => version),
      ['v1'],
    );
  });
});

describe('plain and aggregated lists of resources', () => {
  const own = { group: 'acme.com', version: 'v1' };
  const plain = [
    {
      name: 'toys',
      singularName: 'toy',
      namespaced: true,
      kind: 'Toy',
      verbs: ['get'],
      shortNames: ['t'],
    },
    {
      name: 'toys/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get'],
    },
  ];
  it('say the same', () => {
    const resources = fromPlainList(plain, own);
    assert.equal(resources[0]?.subresources?.[0]?.responseKind?.group, 'autoscaling');
    assert.deepEqual(toPlainList(resources, own), plain);
  });
  it('a subresource may come without its resource', () => {
    assert.deepEqual(fromPlainList(plain.slice(1), own)[0]?.verbs, []);
  });
});

describe('OpenAPI of others', () => {
  const path = (name: string): object => ({
    get: {
      produces: ['application/json'],
      parameters: [
        { name: 'limit', in: 'query', type: 'integer' },
        { name: 'body', in: 'body', schema: { $ref: `#/definitions/${name}` } },
      ],
      responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${name}` } } },
    },
  });
  const document = (paths: object, definitions: object): OpenApiV2Document =>
    ({ swagger: '2.0', paths, definitions }) as never;

  it('a definition of the same name and another content gets a name of its own', () => {
    const own = document(
      { '/api/v1/a': path('A') },
      { A: { type: 'object' }, S: { type: 'string' } },
    );
    const theirs = document(
      { '/apis/acme.com/v1/toys': path('A'), '/apis/other/v1/x': path('B') },
      { A: { properties: { s: { $ref: '#/definitions/S' } } }, S: { type: 'string' }, B: {} },
    );
    const merged = mergeOpenApiV2(own, [{ document: theirs, prefix: '/apis/acme.com/v1' }]);
    assert.deepEqual(Object.keys(merged.definitions), ['A', 'S', 'A_v2']);
    assert.deepEqual(Object.keys(merged.paths), ['/api/v1/a', '/apis/acme.com/v1/toys']);
    assert.match(JSON.stringify(merged.paths['/apis/acme.com/v1/toys']), /#\/definitions\/A_v2"/);
    assert.match(JSON.stringify(merged.paths['/api/v1/a']), /#\/definitions\/A"/);
  });

  it('version 3 is made from version 2', () => {
    const v2 = document({ '/apis/acme.com/v1/toys': path('A'), '/version': path('A') }, { A: {} });
    const v3 = toOpenApiV3(v2, '/apis/acme.com/v1') as { paths: Record<string, { get: object }> };
    assert.deepEqual(Object.keys(v3.paths), ['/apis/acme.com/v1/toys']);
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/A' } } };
    assert.deepEqual(v3.paths['/apis/acme.com/v1/toys']?.get, {
      parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
      requestBody: { content: { '*/*': content['application/json'] } },
      responses: { 200: { description: 'OK', content } },
    });
  });
});

describe('headers for extension servers', () => {
  it('name the user and hold no credentials and nothing of the connection', () => {
    const headers = forwardedHeaders({
      headers: {
        authorization: 'Bearer x',
        'x-remote-user': 'forged',
        'x-remote-extra-a': 'forged',
        'impersonate-user': 'x',
        connection: 'keep-alive, x-private',
        'x-private': '1',
        accept: 'application/json',
        'x-forwarded-for': '192.0.2.1',
      },
      user: { name: 'jané', uid: 'u', groups: ['g1', 'g2'], extra: { 'a.b/c%': ['1', '2'] } },
      host: '192.0.2.9:443',
      remoteAddress: '192.0.2.2',
      path: '/apis',
      bodyBytes: undefined,
    });
    assert.deepEqual(headers, {
      accept: 'application/json',
      host: '192.0.2.9:443',
      'x-forwarded-for': '192.0.2.1, 192.0.2.2',
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': '/apis',
      'x-remote-user': Buffer.from('jané').toString('latin1'),
      'x-remote-uid': 'u',
      'x-remote-group': ['g1', 'g2'],
      'x-remote-extra-a.b%2fc%25': ['1', '2'],
    });
  });
});
