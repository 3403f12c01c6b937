import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { ClusterLookups } from '../framework/lookups.ts';
import { atEveryPoint } from '../framework/extension-points.ts';
import type { Plugin } from '../framework/plugin.ts';
import { createProfile } from '../framework/profile.ts';
import type { Profile } from '../framework/profile.ts';
import { createDefaultBinder } from './default-binder.ts';
import { createDefaultPreemption } from './default-preemption/default-preemption.ts';
import { dynamicResources } from './dynamic-resources.ts';
import { imageLocality } from './image-locality.ts';
import { createInterPodAffinity } from './inter-pod-affinity/inter-pod-affinity.ts';
import { createNodeAffinity } from './node-affinity.ts';
import { nodeDeclaredFeatures } from './node-declared-features.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { createBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { createNodeResourcesFit } from './node-resources-fit.ts';
import { createNodeVolumeLimits } from './node-volume-limits.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { createPodTopologySpread } from './pod-topology-spread/pod-topology-spread.ts';
import { prioritySort } from './priority-sort.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';
import { createVolumeBinding } from './volume-binding/volume-binding.ts';
import { createVolumeRestrictions } from './volume-restrictions.ts';
import { createVolumeZone } from './volume-zone.ts';

/** What plugins are made of. */
export interface PluginParts {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly lookups: ClusterLookups;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes a plugin; `args` are its checked arguments from pluginConfig, {} for upstream's defaults. */
export type PluginFactory = (parts: PluginParts, args: PluginArgs) => Plugin;
export type PluginArgs = Readonly<Record<string, unknown>>;

/** Every plugin that a profile may name, by upstream's names. */
export const pluginFactories: Readonly<Record<string, PluginFactory>> = {
  SchedulingGates: () => schedulingGates,
  PrioritySort: () => prioritySort,
  NodeUnschedulable: () => nodeUnschedulable,
  NodeName: () => nodeName,
  TaintToleration: () => taintToleration,
  NodeAffinity: (_parts, args) => createNodeAffinity(args),
  NodePorts: () => nodePorts,
  NodeResourcesFit: (_parts, args) => createNodeResourcesFit(args),
  VolumeRestrictions: ({ lookups }) => createVolumeRestrictions(lookups.storage),
  NodeVolumeLimits: ({ lookups }) => createNodeVolumeLimits(lookups.storage),
  VolumeBinding: (parts, args) =>
    createVolumeBinding({ ...parts, storage: parts.lookups.storage }, args),
  VolumeZone: ({ lookups }) => createVolumeZone(lookups.storage),
  PodTopologySpread: ({ lookups }, args) => createPodTopologySpread(lookups, args),
  InterPodAffinity: ({ lookups }, args) => createInterPodAffinity(lookups, args),
  DynamicResources: () => dynamicResources,
  DefaultPreemption: (parts, args) => createDefaultPreemption(parts, args),
  NodeResourcesBalancedAllocation: (_parts, args) => createBalancedAllocation(args),
  ImageLocality: () => imageLocality,
  DefaultBinder: ({ client }) => createDefaultBinder(client),
  NodeDeclaredFeatures: () => nodeDeclaredFeatures,
};

/** multiPoint of the default profile in upstream's order, with upstream's weights. */
export const defaultMultiPoint: readonly { name: string; weight: number }[] = [
  { name: 'SchedulingGates', weight: 0 },
  { name: 'PrioritySort', weight: 0 },
  { name: 'NodeUnschedulable', weight: 0 },
  { name: 'NodeName', weight: 0 },
  { name: 'TaintToleration', weight: 3 },
  { name: 'NodeAffinity', weight: 2 },
  { name: 'NodePorts', weight: 0 },
  { name: 'NodeResourcesFit', weight: 1 },
  { name: 'VolumeRestrictions', weight: 0 },
  { name: 'NodeVolumeLimits', weight: 0 },
  { name: 'VolumeBinding', weight: 0 },
  { name: 'VolumeZone', weight: 0 },
  { name: 'PodTopologySpread', weight: 2 },
  { name: 'InterPodAffinity', weight: 2 },
  { name: 'DynamicResources', weight: 0 },
  { name: 'DefaultPreemption', weight: 0 },
  { name: 'NodeResourcesBalancedAllocation', weight: 1 },
  { name: 'ImageLocality', weight: 1 },
  { name: 'DefaultBinder', weight: 0 },
  { name: 'NodeDeclaredFeatures', weight: 0 },
];

/** What a cluster without KubeSchedulerConfiguration schedules with: for tests and benches. */
export function defaultProfile(parts: PluginParts): Profile {
  const plugins = defaultMultiPoint.map(({ name, weight }) => {
    const create = pluginFactories[name];
    if (create === undefined) throw new Error(`the scheduler has no plugin ${name}`);
    return { plugin: create(parts, {}), weight };
  });
  return createProfile('default-scheduler', atEveryPoint(plugins));
}
