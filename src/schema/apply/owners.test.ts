import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import { isSameOwners } from './owners.ts';

const entry = (changes: Partial<ManagedFieldsEntry>): ManagedFieldsEntry => ({
  manager: 'm',
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': { 'f:a': {} } },
  ...changes,
});

test('managers own the same whenever they came to', () => {
  assert.equal(isSameOwners([entry({})], [entry({ time: '2026-02-02T00:00:00Z' })]), true);
  assert.equal(isSameOwners([entry({})], [entry({ manager: 'n' })]), false);
  assert.equal(isSameOwners([entry({})], [entry({ fieldsV1: { 'f:data': {} } })]), false);
  assert.equal(isSameOwners([entry({})], []), false);
});
