import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Pod, TopologySpreadConstraint } from '#schema/types.ts';
import { createPodInfo } from '../../framework/node-info.ts';
import { noLookups } from '../../framework/lookups.ts';
import { app, clusterOf, labelledPod, on, refusals, scoresOf, zoneNode } from '../plugin-bench.ts';
import { createPodTopologySpread, missingLabelReason, reason } from './pod-topology-spread.ts';

const zone = 'topology.kubernetes.io/zone';
const plugin = createPodTopologySpread(noLookups);

function spread(change: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint {
  return {
    topologyKey: zone,
    maxSkew: 1,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: app('web'),
    ...change,
  };
}
const web = (name: string, ...topologySpreadConstraints: TopologySpreadConstraint[]): Pod =>
  labelledPod(name, { app: 'web' }, { topologySpreadConstraints });
const nodes = [zoneNode('a1', 'a'), zoneNode('a2', 'a'), zoneNode('b1', 'b'), zoneNode('x')];

describe('PodTopologySpread', () => {
  it('keeps the skew between domains, and off nodes outside of them', () => {
    const cache = clusterOf(nodes, [on('a1', web('1')), on('a2', web('2')), on('b1', web('3'))]);
    assert.deepEqual(refusals(plugin, cache, web('p', spread())), {
      a1: reason,
      a2: reason,
      b1: '',
      x: missingLabelReason,
    });
    const loose = web('p', spread({ maxSkew: 2 }));
    assert.equal(refusals(plugin, cache, loose)['a1'], '');
  });

  it('counts neither pods of other namespaces nor those being deleted', () => {
    const other = on('a1', { ...web('1'), metadata: { ...web('1').metadata, namespace: 'other' } });
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const leaving = on('a1', {
      ...web('2'),
      metadata: { ...web('2').metadata, deletionTimestamp },
    });
    const cache = clusterOf(nodes, [other, leaving]);
    assert.equal(refusals(plugin, cache, web('p', spread()))['a1'], '');
  });

  it('takes the minimum for 0 while there are fewer domains than minDomains', () => {
    const cache = clusterOf(nodes, [on('a1', web('1')), on('b1', web('2'))]);
    const wanted = web('p', spread({ minDomains: 3 }));
    assert.deepEqual(refusals(plugin, cache, wanted), {
      a1: reason,
      a2: reason,
      b1: reason,
      x: missingLabelReason,
    });
  });

  it('leaves domains out that the pod may not use, unless told to ignore that', () => {
    const cache = clusterOf(nodes.slice(0, 3), [on('a1', web('1'))]);
    const onlyA = { nodeSelector: { [zone]: 'a' } };
    const honoring = web('p', spread());
    honoring.spec = { ...honoring.spec!, ...onlyA };
    assert.equal(refusals(plugin, cache, honoring)['a1'], '');
    const ignoring = web('p', spread({ nodeAffinityPolicy: 'Ignore' }));
    ignoring.spec = { ...ignoring.spec!, ...onlyA };
    assert.equal(refusals(plugin, cache, ignoring)['a1'], reason);
  });

  it('honors taints only when told to', () => {
    const taints = [{ key: 'k', effect: 'NoSchedule' as const }];
    const tainted = zoneNode('b1', 'b', { spec: { taints } });
    const cache = clusterOf([zoneNode('a1', 'a'), tainted], [on('a1', web('1'))]);
    assert.equal(refusals(plugin, cache, web('p', spread()))['a1'], reason);
    const honoring = web('p', spread({ nodeTaintsPolicy: 'Honor' }));
    assert.equal(refusals(plugin, cache, honoring)['a1'], '');
  });

  it('matchLabelKeys narrows the selector to the pod’s own value', () => {
    const versioned = (name: string, version: string): Pod =>
      labelledPod(
        name,
        { app: 'web', version },
        { topologySpreadConstraints: [spread({ matchLabelKeys: ['version'] })] },
      );
    const cache = clusterOf(nodes.slice(0, 3), [on('a1', versioned('1', 'v1'))]);
    assert.equal(refusals(plugin, cache, versioned('p', 'v1'))['a2'], reason);
    assert.equal(refusals(plugin, cache, versioned('p', 'v2'))['a2'], '');
  });

  it('brings its counts up to pods that preemption takes away', () => {
    const victim = on('a1', web('1'));
    const cache = clusterOf(nodes.slice(0, 3), [victim]);
    const state = new Map();
    const pod = createPodInfo(web('p', spread()));
    plugin.preFilter?.(state, pod, cache);
    const node = cache.nodes[0]!;
    assert.equal(plugin.filter?.(state, pod, node)?.reasons[0], reason);
    plugin.removePod?.(state, pod, createPodInfo(victim), node);
    assert.equal(plugin.filter?.(state, pod, node), undefined);
    plugin.addPod?.(state, pod, createPodInfo(victim), node);
    assert.equal(plugin.filter?.(state, pod, node)?.reasons[0], reason);
  });

  it('prefers emptier domains for soft constraints', () => {
    const cache = clusterOf(nodes, [on('a1', web('1')), on('a2', web('2')), on('b1', web('3'))]);
    const soft = web('p', spread({ whenUnsatisfiable: 'ScheduleAnyway' }));
    assert.deepEqual(scoresOf(plugin, cache, soft), { a1: 33, a2: 33, b1: 100, x: 0 });
  });

  it('spreads pods that belong together over nodes and zones without being asked', () => {
    const lookups = { ...noLookups, siblings: () => labelSelectorFrom(app('web')) };
    const own = createPodTopologySpread(lookups);
    const cache = clusterOf(nodes.slice(0, 3), [on('a1', web('1'))]);
    const scores = scoresOf(own, cache, labelledPod('p', { app: 'web' }));
    assert.ok(scores !== 'skip');
    assert.ok(
      scores['b1']! > scores['a2']! && scores['a2']! > scores['a1']!,
      JSON.stringify(scores),
    );
    assert.equal(scoresOf(plugin, cache, labelledPod('p', { app: 'web' })), 'skip');
  });
});
