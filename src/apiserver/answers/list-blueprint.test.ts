import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomKind } from '../custom-kind.ts';
import type { ServedResource } from '../resource-registry.ts';
import { listBlueprint } from './list-blueprint.ts';

const things = {
  info: { listKind: 'ThingList' },
  layout: { apiVersion: 'example.com/v1' },
  custom: {} as CustomKind,
} as ServedResource;

function textOf(as: Parameters<typeof listBlueprint>[1]['as']): string {
  const blueprint = listBlueprint(things, { media: 'json', as }) ?? '';
  return Buffer.from(blueprint, 'base64').toString();
}

test('lists of custom resources are empty, not null, and their metadata is that of any kind', () => {
  assert.equal(
    textOf(undefined),
    '{"apiVersion":"example.com/v1","items":[],"kind":"ThingList"}\n',
  );
  assert.equal(
    textOf('PartialObjectMetadata'),
    '{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":null}\n',
  );
});

test('tables have no list to fill', () => {
  assert.equal(listBlueprint(things, { media: 'json', as: 'Table' }), undefined);
});
