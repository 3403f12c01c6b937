import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { nextStep, startTtlController } from './ttl-controller.ts';

for (const [step, nodes, expected] of [
  [0, 100, 0],
  [0, 101, 1],
  [1, 95, 1],
  [1, 89, 0],
  [1, 501, 2],
  [0, 1500, 3],
  [3, 2001, 4],
  [4, 1800, 4],
  [4, 10, 0],
] as const) {
  test(`${nodes} nodes lead from step ${step} to ${expected}`, () => {
    assert.equal(nextStep(step, nodes), expected);
  });
}

test('nodes are annotated, and all of them anew when the cluster grows', async () => {
  const node = (index: number): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `n${index}` },
  });
  const harness = createHarness([startTtlController], { objects: [node(0)] });
  const values = (): Set<string | undefined> =>
    new Set(
      harness.client
        .all<Node>(resources.nodes)
        .map(({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl']),
    );
  await harness.run(100);
  assert.deepEqual([...values()], ['0']);
  for (let index = 1; index <= 100; index++) harness.client.add(node(index));
  await harness.run(1000);
  assert.deepEqual([...values()], ['15']);
  await harness.stop();
});
