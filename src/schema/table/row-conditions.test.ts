import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableRowConditions } from './table.ts';

test('rows of pods that have ended are marked as completed', () => {
  const reasonOf = (kind: string, phase: string): string | undefined => {
    const object = { metadata: { name: 'x' }, status: { phase } };
    return tableRowConditions({ group: '', kind }, object)?.[0]?.reason;
  };
  assert.deepEqual(
    ['Succeeded', 'Failed', 'Running', ''].map((phase) => reasonOf('Pod', phase)),
    ['Succeeded', 'Failed', undefined, undefined],
  );
  assert.equal(reasonOf('Namespace', 'Failed'), undefined);
});
