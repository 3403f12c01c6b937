import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Affinity, Pod, PodAffinityTerm } from '#schema/types.ts';
import { noLookups } from '../../framework/lookups.ts';
import { app, clusterOf, labelledPod, on, refusals, scoresOf, zoneNode } from '../plugin-bench.ts';
import {
  affinityReason,
  antiAffinityReason,
  createInterPodAffinity,
  existingAntiAffinityReason,
} from './inter-pod-affinity.ts';

const zone = 'topology.kubernetes.io/zone';
const host = 'kubernetes.io/hostname';
const plugin = createInterPodAffinity({
  ...noLookups,
  namespaceLabels: (name) => (name === 'green' ? { color: 'green' } : {}),
});
const nodes = [zoneNode('a1', 'a'), zoneNode('a2', 'a'), zoneNode('b1', 'b'), zoneNode('x')];

const term = (name: string, topologyKey: string, change: Partial<PodAffinityTerm> = {}) => ({
  labelSelector: app(name),
  topologyKey,
  ...change,
});
const near = (...terms: PodAffinityTerm[]): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const away = (...terms: PodAffinityTerm[]): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const likes = (weight: number, of: PodAffinityTerm): Affinity => ({
  podAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: of }],
  },
});
const pod = (name: string, of: string, affinity?: Affinity, namespace = 'default'): Pod => {
  const made = labelledPod(name, { app: of }, { affinity });
  return { ...made, metadata: { ...made.metadata, namespace } };
};

describe('InterPodAffinity', () => {
  it('puts a pod into the domain of the pods it wants', () => {
    const cache = clusterOf(nodes, [on('a1', pod('1', 'db'))]);
    const wanted = pod('p', 'web', near(term('db', zone)));
    assert.deepEqual(refusals(plugin, cache, wanted), {
      a1: '',
      a2: '',
      b1: affinityReason,
      x: affinityReason,
    });
  });

  it('lets the first pod of a group that wants itself start anywhere with the label', () => {
    const wanted = pod('p', 'web', near(term('web', zone)));
    assert.deepEqual(refusals(plugin, clusterOf(nodes), wanted), {
      a1: '',
      a2: '',
      b1: '',
      x: affinityReason,
    });
    const stranger = pod('p', 'web', near(term('db', zone)));
    assert.equal(refusals(plugin, clusterOf(nodes), stranger)['a1'], affinityReason);
  });

  it('keeps a pod away from those it refuses, and from those that refuse it', () => {
    const cache = clusterOf(nodes, [
      on('a1', pod('1', 'db')),
      on('b1', pod('2', 'lone', away(term('web', host)))),
    ]);
    const wanted = pod('p', 'web', away(term('db', zone)));
    assert.deepEqual(refusals(plugin, cache, wanted), {
      a1: antiAffinityReason,
      a2: antiAffinityReason,
      b1: existingAntiAffinityReason,
      x: '',
    });
  });

  it('looks into the namespaces that the term names, by name or by label', () => {
    const cache = clusterOf(nodes, [on('a1', pod('1', 'db', undefined, 'green'))]);
    const at = (change: Partial<PodAffinityTerm>): string | undefined =>
      refusals(plugin, cache, pod('p', 'web', near(term('db', zone, change))))['a1'];
    assert.equal(at({}), affinityReason);
    assert.equal(at({ namespaces: ['green'] }), '');
    assert.equal(at({ namespaceSelector: { matchLabels: { color: 'green' } } }), '');
    assert.equal(at({ namespaceSelector: { matchLabels: { color: 'red' } } }), affinityReason);
    assert.equal(at({ namespaceSelector: {} }), '');
  });

  it('forgets pods that left', () => {
    const placed = on('a1', pod('1', 'db'));
    const cache = clusterOf(nodes, [placed]);
    const wanted = pod('p', 'web', away(term('db', zone)));
    assert.equal(refusals(plugin, cache, wanted)['a1'], antiAffinityReason);
    cache.removePod('default/1');
    assert.equal(refusals(plugin, cache, wanted)['a1'], '');
  });

  it('mismatchLabelKeys refuses pods with another value only', () => {
    const tenant = (name: string, value: string): Pod =>
      labelledPod(
        name,
        { app: 'web', tenant: value },
        {
          affinity: away({
            topologyKey: zone,
            labelSelector: { matchExpressions: [{ key: 'tenant', operator: 'Exists' }] },
            mismatchLabelKeys: ['tenant'],
          }),
        },
      );
    const cache = clusterOf(nodes, [on('a1', tenant('1', 'one'))]);
    assert.equal(refusals(plugin, cache, tenant('p', 'one'))['a2'], '');
    assert.equal(refusals(plugin, cache, tenant('p', 'two'))['a2'], antiAffinityReason);
  });

  it('scores by the pod’s wishes and by those of the pods that are there', () => {
    const cache = clusterOf(nodes, [
      on('a1', pod('1', 'db')),
      on('b1', pod('2', 'fan', likes(50, term('web', host)))),
    ]);
    const wanted = pod('p', 'web', likes(100, term('db', zone)));
    assert.deepEqual(scoresOf(plugin, cache, wanted), { a1: 100, a2: 100, b1: 50, x: 0 });
    assert.equal(scoresOf(plugin, clusterOf(nodes), wanted), 'skip');
  });

  it('required affinity of placed pods counts as a wish of weight one', () => {
    const cache = clusterOf(nodes, [on('b1', pod('1', 'db', near(term('web', host))))]);
    assert.deepEqual(scoresOf(plugin, cache, pod('p', 'web')), { a1: 0, a2: 0, b1: 100, x: 0 });
  });
});
