import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { ClusterLookups } from '../framework/lookups.ts';
import type { WeightedPlugin } from '../framework/profile.ts';
import { createDefaultBinder } from './default-binder.ts';
import { createDefaultPreemption } from './default-preemption/default-preemption.ts';
import { imageLocality } from './image-locality.ts';
import { createInterPodAffinity } from './inter-pod-affinity/inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
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

/** The plugins of the default profile in upstream's order, with upstream's weights. */
export function defaultPlugins(parts: PluginParts): readonly WeightedPlugin[] {
  const { storage } = parts.lookups;
  return [
    { plugin: schedulingGates, weight: 0 },
    { plugin: prioritySort, weight: 0 },
    { plugin: nodeUnschedulable, weight: 0 },
    { plugin: nodeName, weight: 0 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 0 },
    { plugin: nodeResourcesFit, weight: 1 },
    { plugin: createVolumeRestrictions(storage), weight: 0 },
    { plugin: createNodeVolumeLimits(storage), weight: 0 },
    { plugin: createVolumeBinding({ ...parts, storage }), weight: 0 },
    { plugin: createVolumeZone(storage), weight: 0 },
    { plugin: createPodTopologySpread(parts.lookups), weight: 2 },
    { plugin: createInterPodAffinity(parts.lookups), weight: 2 },
    { plugin: createDefaultPreemption(parts), weight: 0 },
    { plugin: nodeResourcesBalancedAllocation, weight: 1 },
    { plugin: imageLocality, weight: 1 },
    { plugin: createDefaultBinder(parts.client), weight: 0 },
  ];
}
