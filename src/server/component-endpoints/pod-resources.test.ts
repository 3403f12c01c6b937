import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#schema/types.ts';
import { podResourcesText } from './pod-resources.ts';

function pod(name: string, phase: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: {
      nodeName: 'n1',
      schedulerName: 'default-scheduler',
      priority: 5,
      containers: [
        {
          name: 'c',
          resources: {
            requests: { cpu: '250m', memory: '1Mi', 'example.com/gpu': '2' },
            limits: { cpu: '1' },
          },
        },
      ],
    },
    status: { phase },
  };
}

test('requests and limits of pods that have not ended, each with its unit', async () => {
  const text = await podResourcesText([pod('a', 'Running'), pod('b', 'Succeeded')]);
  const start = 'namespace="shop",node="n1",pod="a",priority="5"';
  const end = 'scheduler="default-scheduler"';
  assert.deepEqual(
    text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      `kube_pod_resource_limit{${start},resource="cpu",${end},unit="cores"} 1`,
      `kube_pod_resource_request{${start},resource="cpu",${end},unit="cores"} 0.25`,
      `kube_pod_resource_request{${start},resource="memory",${end},unit="bytes"} 1048576`,
      `kube_pod_resource_request{${start},resource="example.com/gpu",${end},unit="integer"} 2`,
    ],
  );
});
