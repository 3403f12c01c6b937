import type { TopologySpreadConstraint } from '#schema/types.ts';
import type { PluginArgs } from '../plugins/registry.ts';
import type { FieldReader } from './field-reader.ts';

/** Reads and checks the arguments of upstream's plugins; those of a user's plugin are its own. */
export function readPluginArgs(name: string, reader: FieldReader): PluginArgs | undefined {
  const read = readers[name];
  if (read === undefined) return undefined;
  const args = read(reader);
  reader.end();
  return args;
}

const readers: Readonly<Record<string, (reader: FieldReader) => PluginArgs>> = {
  DefaultPreemption: (reader) => ({
    minCandidateNodesPercentage: reader.integer('minCandidateNodesPercentage', 0, 100),
    minCandidateNodesAbsolute: reader.integer('minCandidateNodesAbsolute', 0),
  }),
  InterPodAffinity: (reader) => ({
    hardPodAffinityWeight: reader.integer('hardPodAffinityWeight', 0, 100),
    ignorePreferredTermsOfExistingPods: reader.boolean('ignorePreferredTermsOfExistingPods'),
  }),
  NodeAffinity: (reader) => ({
    addedAffinity: reader.raw('addedAffinity'),
  }),
  NodeResourcesBalancedAllocation: (reader) => ({ resources: resourcesOf(reader) }),
  NodeResourcesFit: readFit,
  PodTopologySpread: readSpread,
  VolumeBinding(reader) {
    if (reader.raw('shape') !== undefined) {
      reader.fail('shape', 'Forbidden: scoring by storage capacity is not supported');
    }
    return { bindTimeoutSeconds: reader.integer('bindTimeoutSeconds', 0) };
  },
  DynamicResources(reader) {
    reader.raw('filterTimeout');
    reader.raw('bindingTimeout');
    return {};
  },
};

function readFit(reader: FieldReader): PluginArgs {
  const strategy = reader.object('scoringStrategy');
  const type = strategy?.oneOf('type', [
    'LeastAllocated',
    'MostAllocated',
    'RequestedToCapacityRatio',
  ]);
  const ratio = strategy?.object('requestedToCapacityRatio');
  const shape = ratio?.objects('shape').map((point) => {
    const utilization = point.integer('utilization', 0, 100) ?? 0;
    const score = point.integer('score', 0, 10) ?? 0;
    point.end();
    return { utilization, score };
  });
  ratio?.end();
  if (type === 'RequestedToCapacityRatio' && (shape ?? []).length === 0) {
    strategy?.fail(
      'requestedToCapacityRatio.shape',
      'Required value: at least one point must be specified',
    );
  }
  for (const [index, { utilization }] of (shape ?? []).entries()) {
    const before = shape?.[index - 1];
    if (before !== undefined && utilization <= before.utilization) {
      ratio?.fail(
        `shape[${index}].utilization`,
        `Invalid value: ${utilization}: utilization values must be sorted in increasing order`,
      );
    }
  }
  const resources = strategy === undefined ? undefined : resourcesOf(strategy);
  strategy?.end();
  return {
    ignoredResources: reader.strings('ignoredResources'),
    ignoredResourceGroups: reader.strings('ignoredResourceGroups'),
    scoringStrategy:
      strategy === undefined ? undefined : { type, resources, requestedToCapacityRatio: { shape } },
  };
}

function resourcesOf(reader: FieldReader): { name: string; weight: number }[] | undefined {
  const resources = reader.objects('resources').map((one) => {
    const name = one.string('name') ?? one.fail('name', 'Required value');
    const weight = one.integer('weight', 1, 100) ?? 1;
    one.end();
    return { name, weight };
  });
  return resources.length === 0 ? undefined : resources;
}

function readSpread(reader: FieldReader): PluginArgs {
  const type = reader.oneOf('defaultingType', ['List', 'System']) ?? 'System';
  const constraints = reader.objects('defaultConstraints').map((one): TopologySpreadConstraint => {
    if (one.raw('labelSelector') !== undefined) {
      one.fail(
        'labelSelector',
        'Forbidden: constraint must not define a selector, as they deduced for each pod',
      );
    }
    const constraint = {
      maxSkew: one.integer('maxSkew', 1) ?? one.fail('maxSkew', 'Required value'),
      topologyKey: one.string('topologyKey') ?? one.fail('topologyKey', 'Required value'),
      whenUnsatisfiable:
        one.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']) ??
        one.fail('whenUnsatisfiable', 'Required value'),
    };
    one.end();
    return constraint;
  });
  if (type === 'System' && constraints.length > 0) {
    reader.fail(
      'defaultingType',
      'Invalid value: "System": when .defaultConstraints are not empty, must be "List"',
    );
  }
  return type === 'List' ? { defaultConstraints: constraints } : {};
}
