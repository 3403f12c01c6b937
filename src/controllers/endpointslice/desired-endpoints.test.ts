import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, Service } from '#schema/types.ts';
import { desiredEndpoints } from './desired-endpoints.ts';

function pod(isReady: boolean): Pod {
  return {
    metadata: { name: 'p', namespace: 'shop', uid: 'u' },
    spec: { nodeName: 'n1', containers: [] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.42.0.1' }],
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  };
}

const zone = { forZones: [{ name: 'z' }] };
const node = { forNodes: [{ name: 'n1' }] };

for (const [trafficDistribution, labels, isReady, hints] of [
  [undefined, { 'topology.kubernetes.io/zone': 'z' }, true, undefined],
  ['PreferClose', { 'topology.kubernetes.io/zone': 'z' }, true, zone],
  ['PreferSameZone', { 'topology.kubernetes.io/zone': 'z' }, true, zone],
  ['PreferSameZone', {}, true, undefined],
  ['PreferSameZone', { 'topology.kubernetes.io/zone': 'z' }, false, undefined],
  ['PreferSameNode', { 'topology.kubernetes.io/zone': 'z' }, true, { ...zone, ...node }],
  ['PreferSameNode', {}, true, node],
] as [string | undefined, Record<string, string>, boolean, object | undefined][]) {
  const what = `${trafficDistribution ?? 'no preference'}, ${Object.keys(labels).length} zone labels`;
  test(`hints of a ${isReady ? 'ready' : 'not ready'} endpoint with ${what}`, () => {
    const service: Service = {
      metadata: { name: 's', namespace: 'shop' },
      spec: { trafficDistribution, ports: [] },
    };
    const nodeOf = (): Node => ({ metadata: { name: 'n1', labels } });
    const [group] = desiredEndpoints(service, [pod(isReady)], 'IPv4', nodeOf).values();
    assert.deepEqual(group?.endpoints[0]?.hints, hints);
  });
}
