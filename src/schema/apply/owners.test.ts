import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import { isSameOwners, managedFieldsProblem } from './owners.ts';

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

test('managed fields of others are judged in the words of upstream', () => {
  const problems = [
    entry({}),
    entry({ operation: 'Touch' }),
    entry({ apiVersion: '' }),
    entry({ fieldsType: '' }),
    entry({ fieldsType: 'FieldsV2' }),
  ].map((one) => managedFieldsProblem([entry({}), one]));
  assert.deepEqual(problems, [
    undefined,
    'operation must be `Apply` or `Update`',
    'apiVersion must not be empty',
    'missing fieldsType in managed fields entry 1',
    'invalid fieldsType "FieldsV2" in managed fields entry 1',
  ]);
  const odd = { 'f:data': { odd: {} } };
  assert.match(managedFieldsProblem([entry({ fieldsV1: odd })]) ?? '', /^error decoding versioned/);
});
