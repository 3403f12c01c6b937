import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import { ProtobufReader } from '../protobuf/reader.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { JsonSchema } from './json-schema.ts';
import {
  createOpenApiPages,
  customTypeName,
  encodeOpenApiV2,
  openApiV2,
  openApiV3,
} from './mod.ts';

type Json = Record<string, unknown>;

const core = 'io.k8s.api.core.v1';
const v2 = openApiV2(catalog.all, { version: 'v1.36.2' });
const apps = { group: 'apps', version: 'v1' };

const craneKind = { group: 'example.org', version: 'v1', kind: 'Crane' };

function crane(): ResourceInfo {
  const deployments = catalog.byResource({ ...apps, resource: 'deployments' });
  assert.ok(deployments);
  const typeName = customTypeName(craneKind);
  return { ...deployments, ...craneKind, resource: 'cranes', listKind: 'CraneList', typeName };
}

const craneSchema: JsonSchema = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { hook: { anyOf: [], nullable: true } as JsonSchema } },
  },
};

function references(document: object): Set<string> {
  const text = JSON.stringify(document);
  const found = text.matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g);
  return new Set([...found].map((match) => match[1] ?? ''));
}

test('everything that version 2 refers to is defined', () => {
  for (const name of references(v2)) assert.ok(v2.definitions[name], name);
});

test('everything that a version 3 document refers to is defined in it', () => {
  for (const { group, versions } of catalog.groups()) {
    for (const version of versions) {
      const document = openApiV3({ group, version }, catalog.all);
      for (const name of references(document)) {
        assert.ok(document.components.schemas[name], `${group}/${version}: ${name}`);
      }
    }
  }
});

test('every resource has its paths with the actions of its verbs', () => {
  const actions: Readonly<Record<string, string>> = { create: 'post', update: 'put' };
  for (const info of catalog.all) {
    const kinds = Object.values(v2.paths).flatMap((item) =>
      Object.values(item)
        .map((operation) => operation as Json)
        .filter(({ 'x-kubernetes-group-version-kind': of }) => isKind(of, info))
        .map((operation) => operation['x-kubernetes-action']),
    );
    for (const verb of info.verbs) {
      if (verb !== 'watch')
        assert.ok(kinds.includes(actions[verb] ?? verb), `${info.resource} ${verb}`);
    }
  }
});

function isKind(of: unknown, { group, version, kind }: ResourceInfo): boolean {
  const given = of as ResourceInfo | undefined;
  return given?.group === group && given.version === version && given.kind === kind;
}

test('operation ids are unique', () => {
  const ids = Object.values(v2.paths).flatMap((item) =>
    Object.values(item).flatMap((operation) => (operation as Json)['operationId'] ?? []),
  );
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.includes('readAppsV1NamespacedDeploymentScale'));
  assert.ok(ids.includes('listCoreV1PodForAllNamespaces'));
  assert.ok(ids.includes('connectGetCoreV1NamespacedPodExec'));
});

test('merge markers, value sets and kinds are told', () => {
  const pod = v2.definitions[`${core}.PodSpec`]?.properties ?? {};
  const { description: _, ...containers } = pod['containers'] ?? {};
  assert.deepEqual(containers, {
    type: 'array',
    items: { $ref: `#/definitions/${core}.Container` },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'name',
  });
  assert.equal(pod['nodeSelector']?.['x-kubernetes-map-type'], 'atomic');
  assert.ok(pod['restartPolicy']?.enum?.includes('Always'));
  assert.deepEqual(v2.definitions[`${core}.Pod`]?.['x-kubernetes-group-version-kind'], [
    { group: '', kind: 'Pod', version: 'v1' },
  ]);
  const v3 = openApiV3({ group: '', version: 'v1' }, catalog.all).components.schemas;
  assert.equal(v3[`${core}.ContainerPort`]?.properties?.['protocol']?.default, 'TCP');
});

test('patches and creates take the query parameters that kubectl asks for', () => {
  const { paths } = openApiV3(apps, catalog.all);
  const item = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'] as Json;
  const patch = item['patch'] as { parameters: Array<{ name: string; in: string }> };
  const names = patch.parameters.map((parameter) => parameter.name);
  for (const name of ['dryRun', 'fieldManager', 'fieldValidation', 'force']) {
    assert.ok(names.includes(name), name);
  }
});

test('custom resources bring their schema, in version 2 without what it cannot say', () => {
  const info = crane();
  const options = { customSchemas: new Map([[info.typeName, craneSchema]]) };
  assert.equal(info.typeName, 'org.example.v1.Crane');
  const three = openApiV3(craneKind, [info], options).components.schemas[info.typeName];
  assert.deepEqual(three?.['x-kubernetes-group-version-kind'], [craneKind]);
  assert.deepEqual(three.properties?.['spec'], craneSchema.properties?.['spec']);
  const two = openApiV2([info], options).definitions[info.typeName];
  assert.deepEqual(two?.properties?.['spec'], { type: 'object', properties: { hook: {} } });
  assert.ok(openApiV2([info]).definitions['org.example.v1.CraneList']);
});

/** Top-level fields of a message with how often they occur. */
function fieldsOf(bytes: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  const reader = new ProtobufReader(bytes);
  while (!reader.isDone) {
    const tag = reader.varint();
    assert.equal(tag % 8, 2);
    const field = Math.floor(tag / 8);
    fields.set(field, [...(fields.get(field) ?? []), reader.bytes()]);
  }
  return fields;
}

test('built-in kinds have the old paths of watches', () => {
  const { paths } = openApiV2(catalog.all);
  const idOf = (path: string): unknown => (paths[path] as { get?: Json } | undefined)?.get;
  const configMap = '/api/v1/watch/namespaces/{namespace}/configmaps';
  const cases = [
    ['/api/v1/watch/configmaps', 'watchlist', 'watchCoreV1ConfigMapListForAllNamespaces'],
    [configMap, 'watchlist', 'watchCoreV1NamespacedConfigMapList'],
    [`${configMap}/{name}`, 'watch', 'watchCoreV1NamespacedConfigMap'],
    ['/api/v1/watch/nodes', 'watchlist', 'watchCoreV1NodeList'],
    ['/apis/storage.k8s.io/v1/watch/csidrivers/{name}', 'watch', 'watchStorageV1CSIDriver'],
  ] as const;
  for (const [path, action, operationId] of cases) {
    const operation = idOf(path) as Json;
    assert.equal(operation['operationId'], operationId);
    assert.equal(operation['x-kubernetes-action'], action);
  }
  assert.equal('/api/v1/watch/bindings' in paths, false);
});

test('version 2 as protobuf holds the same paths and definitions in the same order', () => {
  const document = fieldsOf(encodeOpenApiV2(v2));
  assert.equal(document.get(1)?.[0]?.toString(), '2.0');
  const names = (message: number, entry: number): string[] =>
    (fieldsOf(document.get(message)?.[0] ?? Buffer.alloc(0)).get(entry) ?? []).map((item) =>
      String(fieldsOf(item).get(1)?.[0]),
    );
  assert.deepEqual(names(8, 2), Object.keys(v2.paths));
  assert.deepEqual(names(9, 1), Object.keys(v2.definitions));
});

test('pages keep the bytes of group versions that did not change', () => {
  const before = createOpenApiPages({ resources: catalog.all });
  const page = before.v3(apps);
  const after = createOpenApiPages({ resources: [...catalog.all, crane()], previous: before });
  assert.equal(after.v3(apps)?.body, page?.body);
  assert.ok(after.hashes.has('apis/example.org/v1'));
  assert.equal(before.v3(craneKind), undefined);
  const root = JSON.parse(after.v3Root().body.toString()) as { paths: Record<string, Json> };
  const url = root.paths['apis/apps/v1']?.['serverRelativeURL'];
  assert.equal(url, `/openapi/v3/apis/apps/v1?hash=${page?.hash}`);
});
