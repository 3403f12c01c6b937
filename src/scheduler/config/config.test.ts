import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createEventRecorder } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { noLookups } from '../framework/lookups.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { Profile } from '../framework/profile.ts';
import {
  clusterOf,
  labelledPod,
  on,
  refusals,
  scoresOf,
  zoneNode,
} from '../plugins/plugin-bench.ts';
import { createProfiles } from './create-profiles.ts';
import type { ProfileParts } from './create-profiles.ts';
import { readSchedulerConfiguration } from './read-configuration.ts';

const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n';

function parts(): ProfileParts {
  const clock = new FakeClock();
  const random = seededRandom(1);
  const client = createFakeClient({ clock, random });
  const { signal } = new AbortController();
  const events = createEventRecorder({
    client,
    clock,
    random,
    signal,
    log: silentLogger,
    component: 'default-scheduler',
  });
  return { client, clock, random, eventsFor: () => events, lookups: noLookups };
}
const profilesOf = (yaml: string): Profile[] =>
  createProfiles(readSchedulerConfiguration(head + yaml), parts());
const pluginOf = (yaml: string, name: string) => {
  const plugin = profilesOf(yaml)[0]?.plugins.find((one) => one.name === name);
  assert.ok(plugin, name);
  return plugin;
};

describe('KubeSchedulerConfiguration', () => {
  it('an empty one is the default profile', () => {
    const [profile, ...others] = profilesOf('');
    assert.equal(profile?.schedulerName, 'default-scheduler');
    assert.equal(others.length, 0);
    assert.ok(profile.plugins.some(({ name }) => name === 'PodTopologySpread'));
  });

  it('profiles enable and disable plugins, of all points or of one', () => {
    const [first, second] = profilesOf(`
profiles:
- schedulerName: bare
  plugins:
    multiPoint:
      disabled: [{name: '*'}]
      enabled: [{name: PrioritySort}, {name: NodeName}, {name: DefaultBinder}]
- schedulerName: no-taints
  plugins:
    filter: {disabled: [{name: TaintToleration}]}
`);
    assert.deepEqual(first?.plugins.map(({ name }) => name).toSorted(), [
      'DefaultBinder',
      'NodeName',
      'PrioritySort',
    ]);
    const taints = [{ key: 'k', effect: 'NoSchedule' as const }];
    const cache = clusterOf([zoneNode('a', 'z', { spec: { taints } })]);
    const state = new Map();
    const pod = createPodInfo(labelledPod('p', {}));
    second?.preFilter(state, pod, cache);
    assert.equal(second?.filter(state, pod, cache.nodes[0]!), undefined);
    const [untouched] = profilesOf('');
    untouched?.preFilter(state, pod, cache);
    assert.equal(untouched?.filter(state, pod, cache.nodes[0]!)?.plugin, 'TaintToleration');
  });

  it('arguments reach their plugins', () => {
    const most = pluginOf(
      `
profiles:
- pluginConfig:
  - name: NodeResourcesFit
    args:
      apiVersion: kubescheduler.config.k8s.io/v1
      kind: NodeResourcesFitArgs
      scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}
`,
      'NodeResourcesFit',
    );
    const busy = on('a', {
      ...labelledPod('1', {}),
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '32' } } }] },
    });
    const cache = clusterOf([zoneNode('a'), zoneNode('b')], [busy]);
    assert.deepEqual(scoresOf(most, cache, labelledPod('p', {})), { a: 50, b: 0 });

    const enforced = pluginOf(
      `
profiles:
- pluginConfig:
  - name: NodeAffinity
    args:
      addedAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [b]}]}]
`,
      'NodeAffinity',
    );
    assert.deepEqual(refusals(enforced, cache, labelledPod('p', {})), {
      a: "node(s) didn't match scheduler-enforced node affinity",
      b: '',
    });
  });

  it('a broken line of utilization and score is followed', () => {
    const plugin = pluginOf(
      `
profiles:
- pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy:
        type: RequestedToCapacityRatio
        resources: [{name: cpu}]
        requestedToCapacityRatio:
          shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]
`,
      'NodeResourcesFit',
    );
    const pod = {
      ...labelledPod('p', {}),
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '16' } } }] },
    };
    assert.deepEqual(scoresOf(plugin, clusterOf([zoneNode('a')]), pod), { a: 25 });
  });

  for (const [yaml, message] of [
    ['nope: 1', 'strict decoding error: unknown field "nope"'],
    [
      'percentageOfNodesToScore: 101',
      'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]',
    ],
    [
      'parallelism: 0',
      'parallelism: Invalid value: 0: should be an integer value greater than zero',
    ],
    [
      'podInitialBackoffSeconds: 0',
      'podInitialBackoffSeconds: Invalid value: 0: must be greater than 0',
    ],
    [
      'podInitialBackoffSeconds: 20',
      'podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds',
    ],
    [
      'profiles: [{schedulerName: a}, {schedulerName: a}]',
      'profiles[1].schedulerName: Duplicate value: "a"',
    ],
    [
      'profiles: [{plugins: {filter: {enabled: [{name: Nope}]}}}]',
      'scheduler profile "default-scheduler": plugin "Nope" does not exist',
    ],
    [
      'profiles: [{plugins: {score: {enabled: [{name: NodeName}]}}}]',
      'scheduler profile "default-scheduler": plugin "NodeName" does not extend score plugin',
    ],
    [
      'profiles: [{plugins: {queueSort: {disabled: [{name: "*"}]}}}]',
      'scheduler profile "default-scheduler": no queue sort plugin is enabled',
    ],
    [
      'profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]',
      'profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]',
    ],
    [
      'profiles: [{pluginConfig: [{name: Other}]}]',
      'scheduler profile "default-scheduler": no plugin "Other" to configure',
    ],
    ['extenders: [{filterVerb: filter}]', 'extenders[0].urlPrefix: Required value'],
    [
      'extenders: [{urlPrefix: "http://127.0.0.1", prioritizeVerb: p}]',
      'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it',
    ],
    [
      'extenders: [{urlPrefix: "http://a", managedResources: [{name: a.com/x}, {name: a.com/x}]}]',
      'extenders[0].managedResources[1].name: Invalid value: "a.com/x": duplicate extender managed resource name',
    ],
  ] as const) {
    it(`refuses ${yaml}`, () => {
      assert.throws(() => profilesOf(yaml), { code: 'Usage', message });
    });
  }

  for (const [plugin, args, message] of [
    [
      'DefaultPreemption',
      'minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0',
      'minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute',
    ],
    [
      'DefaultPreemption',
      'minCandidateNodesAbsolute: -1',
      'minCandidateNodesAbsolute: Invalid value: -1: not in valid range [0, inf)',
    ],
    [
      'NodeResourcesBalancedAllocation',
      'resources: [{name: cpu}, {name: cpu}]',
      'resources[1].name: Duplicate value: "cpu"',
    ],
    [
      'NodeResourcesBalancedAllocation',
      'resources: [{name: cpu, weight: 2}]',
      'resources[0].weight: Invalid value: 2: must be 1',
    ],
    [
      'NodeResourcesFit',
      'scoringStrategy: {type: LeastAllocated, resources: [{name: cpu, weight: 101}]}',
      'scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]',
    ],
    [
      'NodeResourcesFit',
      'scoringStrategy: {type: RequestedToCapacityRatio}',
      'scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is RequestedToCapacityRatio',
    ],
    [
      'NodeResourcesFit',
      'scoringStrategy: {type: MostAllocated, requestedToCapacityRatio: {}}',
      'scoringStrategy.requestedToCapacityRatio: Forbidden: must be nil when type is not RequestedToCapacityRatio',
    ],
    [
      'NodeResourcesFit',
      'scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: [{utilization: 9, score: 1}, {utilization: 9, score: 2}]}}',
      'scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 9: values must be sorted in increasing order',
    ],
    [
      'NodeResourcesFit',
      'scoringStrategy: {type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: []}}',
      'scoringStrategy.requestedToCapacityRatio.shape: Required value: at least one point must be specified',
    ],
    [
      'NodeResourcesFit',
      'ignoredResourceGroups: [a/b]',
      "ignoredResourceGroups[0]: Invalid value: \"a/b\": resource group name can't contain '/'",
    ],
    [
      'PodTopologySpread',
      'defaultingType: List, defaultConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]',
      'defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)',
    ],
    [
      'PodTopologySpread',
      'defaultingType: List, defaultConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]',
      'defaultConstraints[1]: Duplicate value: "{a, DoNotSchedule}"',
    ],
    [
      'PodTopologySpread',
      'defaultConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]',
      'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ],
  ] as const) {
    it(`refuses ${args} for ${plugin}`, () => {
      const yaml = `profiles: [{pluginConfig: [{name: ${plugin}, args: {${args}}}]}]`;
      const path = 'profiles[0].pluginConfig[0].args.';
      assert.throws(() => profilesOf(yaml), { code: 'Usage', message: `${path}${message}` });
    });
  }

  it('a weight of 0 is the default', () => {
    const resources = 'resources: [{name: cpu, weight: 0}]';
    profilesOf(
      `profiles: [{pluginConfig: [{name: NodeResourcesBalancedAllocation, args: {${resources}}}]}]`,
    );
  });
});
