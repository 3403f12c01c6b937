import assert from 'node:assert/strict';
import { it } from 'node:test';

import { serverSideApply } from '../apply/mod.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { parseStructural } from './structural.ts';
import { createTypeLookup } from './type-lookup.ts';

const info = {
  group: 'g.example',
  version: 'v1',
  resource: 'things',
  kind: 'Thing',
  typeName: '',
  subresources: [],
  storage: { group: 'g.example', version: 'v1', kind: 'Thing' },
} as unknown as ResourceInfo;

it('lists, maps and structs of a schema are merged by their types', () => {
  const text = { type: 'string' };
  const types = createTypeLookup(
    parseStructural({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            ports: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { type: 'object', properties: { name: text, port: { type: 'integer' } } },
            },
            tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
            args: { type: 'array', items: text },
            atom: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text } },
            free: { 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    }),
  );
  const apply = (live: UnknownObject | undefined, spec: object, manager: string): UnknownObject => {
    const applied = { apiVersion: 'g.example/v1', kind: 'Thing', metadata: { name: 'a' }, spec };
    const options = {
      live,
      applied,
      manager,
      force: false,
      info,
      subresource: '',
      nowMs: 0,
      types,
    };
    return serverSideApply(options);
  };
  const first = apply(
    undefined,
    { ports: [{ name: 'a', port: 1 }], tags: ['x'], args: ['1'], free: { x: { y: 1 } } },
    'one',
  );
  const second = apply(first, { ports: [{ name: 'b', port: 2 }], tags: ['y'] }, 'two');
  assert.deepEqual(second['spec'], {
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ],
    tags: ['x', 'y'],
    args: ['1'],
    free: { x: { y: 1 } },
  });
  const third = apply(second, { args: ['1'] }, 'one');
  assert.deepEqual(third['spec'], {
    ports: [{ name: 'b', port: 2 }],
    tags: ['y'],
    args: ['1'],
  });
  assert.throws(() => apply(third, { args: ['2'] }, 'two'), /conflict/i);
});
