import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startNodeIpamController } from './node-ipam-controller.ts';

const node = (name: string, podCIDR?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] },
});

function start(clusterCidrs: readonly string[], ...objects: Node[]): Harness {
  return createHarness([startNodeIpamController], { objects, options: { clusterCidrs } });
}

const rangesOf = (harness: Harness, name: string): readonly string[] =>
  harness.client.stored<Node>(resources.nodes, name)?.spec?.podCIDRs ?? [];

test('each node gets its own range; those taken before the start are left alone', async () => {
  const harness = start(['10.42.0.0/16'], node('old', '10.42.0.0/24'), node('a'), node('b'));
  await harness.run(100);
  assert.deepEqual(rangesOf(harness, 'old'), ['10.42.0.0/24']);
  assert.deepEqual([...rangesOf(harness, 'a'), ...rangesOf(harness, 'b')].sort(), [
    '10.42.1.0/24',
    '10.42.2.0/24',
  ]);
  const spec = harness.client.stored<Node>(resources.nodes, 'a')?.spec;
  assert.equal(spec?.podCIDR, spec?.podCIDRs?.[0]);
  await harness.stop();
});

test('dual stack gives a /24 and a /64', async () => {
  const harness = start(['10.42.0.0/16', '2001:cafe:42::/56'], node('a'));
  await harness.run(100);
  assert.deepEqual(rangesOf(harness, 'a'), ['10.42.0.0/24', '2001:cafe:42::/64']);
  await harness.stop();
});

test('a full range says so, and the range of a node that leaves is used again', async () => {
  const harness = start(['10.42.0.0/23'], node('a'), node('b'));
  await harness.run(100);
  harness.client.add(node('c'));
  await harness.run(100);
  assert.deepEqual(rangesOf(harness, 'c'), []);
  assert.match(harness.events()[0] ?? '', /^CIDRNotAvailable: Node c status is now: CIDRNotAvail/);
  const [free] = rangesOf(harness, 'a');
  harness.client.remove(resources.nodes, 'a');
  await harness.run(60_000);
  assert.deepEqual(rangesOf(harness, 'c'), [free]);
  await harness.stop();
});

test('a failed write gives the range back', async () => {
  const harness = start(['10.42.0.0/24']);
  let isBroken = true;
  harness.client.intercept((action) =>
    isBroken && action.resource === 'nodes' ? new Error('no quorum') : undefined,
  );
  await harness.run();
  harness.client.add(node('a'));
  await harness.run(100);
  isBroken = false;
  await harness.run(60_000);
  assert.deepEqual(rangesOf(harness, 'a'), ['10.42.0.0/24']);
  await harness.stop();
});
