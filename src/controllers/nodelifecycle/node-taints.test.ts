import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, Taint } from '#schema/types.ts';
import { missingLabels } from './node-labels.ts';
import { wantedTaints } from './node-taints.ts';
import { tolerationMs } from './taint-eviction.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';

function node(ready: string, taints: Taint[] = []): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    spec: { taints },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  };
}

test('a silent node that speaks again unready changes its taints at once', () => {
  const taints = [
    { key: unreachable, effect: 'NoSchedule' },
    { key: unreachable, effect: 'NoExecute' },
  ];
  const timeAdded = '2026-01-01T00:00:00Z';
  assert.deepEqual(wantedTaints(node('False', taints), false, nowMs), [
    { key: notReady, effect: 'NoSchedule', timeAdded },
    { key: notReady, effect: 'NoExecute', timeAdded },
  ]);
});

test('without a taint to swap, pods are sent away only when it is the node’s turn', () => {
  const timeAdded = '2026-01-01T00:00:00Z';
  assert.deepEqual(wantedTaints(node('False'), false, nowMs), [
    { key: notReady, effect: 'NoSchedule', timeAdded },
  ]);
});

test('of several tolerations of a taint the first counts', () => {
  const taint = { key: notReady, effect: 'NoExecute' };
  const pod = (...seconds: (number | undefined)[]): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: {
      containers: [],
      tolerations: seconds.map((tolerationSeconds) => ({ operator: 'Exists', tolerationSeconds })),
    },
  });
  assert.equal(tolerationMs(pod(30, 10), [taint]), 30_000);
  assert.equal(tolerationMs(pod(undefined, 10), [taint]), Number.POSITIVE_INFINITY);
  assert.equal(tolerationMs(pod(), [taint]), 0);
});

test('nodes carry the former labels of system and architecture', () => {
  const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  const plain = node('True');
  const labelled = { ...plain, metadata: { ...plain.metadata, labels } };
  const former = { 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'amd64' };
  assert.deepEqual(missingLabels(labelled), former);
  const whole = { ...plain, metadata: { ...plain.metadata, labels: { ...labels, ...former } } };
  assert.equal(missingLabels(whole), undefined);
  assert.equal(missingLabels(plain), undefined);
});
