import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceInfo } from '#schema/mod.ts';
import type { AdmissionOperation } from '../plugin.ts';
import { matchesRule } from './rules.ts';
import type { ResourceRule } from './rules.ts';

const pods = { group: '', version: 'v1', resource: 'pods', namespaced: true } as ResourceInfo;
const nodes = { ...pods, resource: 'nodes', namespaced: false };
const namespaces = { ...nodes, resource: 'namespaces' };
const all: ResourceRule = {
  operations: ['*'],
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources: ['*'],
};

type Case = [
  rule: Partial<ResourceRule>,
  resource: ResourceInfo,
  subresource: string,
  operation: AdmissionOperation,
  matches: boolean,
];

const cases: readonly Case[] = [
  [{}, pods, '', 'CREATE', true],
  [{}, pods, 'status', 'UPDATE', false],
  [{ resources: ['*/*'] }, pods, 'status', 'UPDATE', true],
  [{ resources: ['*/*'] }, pods, '', 'UPDATE', true],
  [{ resources: ['pods/*'] }, pods, '', 'UPDATE', true],
  [{ resources: ['pods/status'] }, pods, '', 'UPDATE', false],
  [{ resources: ['*/status'] }, nodes, 'status', 'UPDATE', true],
  [{ resources: ['nodes', 'pods'] }, pods, '', 'DELETE', true],
  [{ operations: ['CREATE'] }, pods, '', 'UPDATE', false],
  [{ operations: ['CREATE', 'CONNECT'] }, pods, '', 'CONNECT', true],
  [{ apiGroups: ['apps'] }, pods, '', 'CREATE', false],
  [{ apiVersions: ['v2'] }, pods, '', 'CREATE', false],
  [{ scope: 'Namespaced' }, pods, '', 'CREATE', true],
  [{ scope: 'Namespaced' }, nodes, '', 'CREATE', false],
  [{ scope: 'Namespaced' }, namespaces, '', 'CREATE', false],
  [{ scope: 'Cluster' }, pods, '', 'CREATE', false],
  [{ scope: 'Cluster' }, namespaces, '', 'CREATE', true],
  [{ resources: [] }, pods, '', 'CREATE', false],
];

for (const [change, resource, subresource, operation, matches] of cases) {
  const what = `${operation} ${resource.resource}/${subresource}`;
  test(`a rule with ${JSON.stringify(change)} ${matches ? 'is' : 'is not'} about ${what}`, () => {
    const rule = { ...all, ...change };
    assert.equal(matchesRule(rule, { resource, subresource, operation }), matches);
  });
}
