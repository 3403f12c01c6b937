import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createPodInfo } from '../framework/node-info.ts';
import { clusterOf, labelledPod, on, zoneNode } from '../plugins/plugin-bench.ts';
import type { Pod } from '#schema/types.ts';

const running = (pod: Pod, status: Pod['status']): Pod => ({ ...pod, status });

describe('cluster cache', () => {
  it('lists nodes zone by zone in turn', () => {
    const cluster = clusterOf([
      zoneNode('a1', 'a'),
      zoneNode('a2', 'a'),
      zoneNode('a3', 'a'),
      zoneNode('b1', 'b'),
      zoneNode('none'),
    ]);
    const names = (): string[] => cluster.nodes.map(({ name }) => name);
    assert.deepEqual(names(), ['a1', 'b1', 'none', 'a2', 'a3']);
    cluster.removeNode('a1');
    assert.deepEqual(names(), ['a2', 'b1', 'none', 'a3']);
    cluster.setNode(zoneNode('b2', 'b'));
    assert.deepEqual(names(), ['a2', 'b1', 'none', 'a3', 'b2']);
  });

  it('an assumed pod that the API shows is counted once and its node stays as it was', () => {
    const cluster = clusterOf([zoneNode('a')]);
    const pod = labelledPod('p', { app: 'web' });
    cluster.assume(createPodInfo(pod), 'a');
    const version = cluster.node('a')?.version;
    cluster.setPod({ ...on('a', pod), metadata: { ...pod.metadata, generation: 1 } });
    assert.equal(cluster.node('a')?.pods.size, 1);
    assert.equal(cluster.node('a')?.version, version);
    assert.equal(cluster.isAssumed('default/p'), false);
  });

  it('a new status changes no sum; new labels, a mark of deletion and the end do', () => {
    const placed = on('a', labelledPod('p', { app: 'web' }));
    const cluster = clusterOf([zoneNode('a')], [placed]);
    const version = (): number => cluster.node('a')?.version ?? 0;
    const first = version();
    cluster.setPod(running(placed, { phase: 'Running' }));
    assert.equal(version(), first);
    assert.equal(cluster.node('a')?.pods.get('default/p')?.pod.status?.phase, 'Running');
    const relabelled = { ...placed, metadata: { ...placed.metadata, labels: { app: 'db' } } };
    cluster.setPod(relabelled);
    assert.notEqual(version(), first);
    cluster.setPod(running(relabelled, { phase: 'Succeeded' }));
    assert.equal(cluster.node('a')?.pods.size, 0);
  });

  it('a pod that is resized in place counts what it has until that is given back', () => {
    const placed = on(
      'a',
      labelledPod(
        'p',
        {},
        {
          containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }],
        },
      ),
    );
    const withCpu = (cpu: string): Pod =>
      running(placed, {
        containerStatuses: [
          {
            name: 'c',
            image: '',
            imageID: '',
            ready: true,
            restartCount: 0,
            allocatedResources: { cpu },
            resources: { requests: { cpu } },
          },
        ],
      });
    const cluster = clusterOf([zoneNode('a')], [withCpu('3')]);
    assert.equal(cluster.node('a')?.requested.get('cpu'), 3000);
    cluster.setPod(withCpu('1'));
    assert.equal(cluster.node('a')?.requested.get('cpu'), 1000);
  });

  it('a copy of a node counts as the node does and changes alone', () => {
    const cluster = clusterOf([zoneNode('a')], [on('a', labelledPod('p', {}))]);
    const copy = cluster.node('a')?.clone();
    copy?.addPod(createPodInfo(labelledPod('q', {})));
    assert.equal(copy?.pods.size, 2);
    assert.equal(cluster.node('a')?.pods.size, 1);
    assert.equal(copy.scoringCpuMilli, 200);
  });

  it('a node knows the priority of its least important pod', () => {
    const cluster = clusterOf([zoneNode('a')]);
    const lowest = (): number | undefined => cluster.node('a')?.lowestPriority;
    assert.equal(lowest(), Number.POSITIVE_INFINITY);
    cluster.setPod(on('a', labelledPod('p', {}, { priority: 10 })));
    cluster.setPod(on('a', labelledPod('q', {}, { priority: -5 })));
    assert.equal(lowest(), -5);
    cluster.removePod('default/q');
    assert.equal(lowest(), 10);
    cluster.setPod(on('a', labelledPod('r', {})));
    assert.equal(lowest(), 0);
  });
});
