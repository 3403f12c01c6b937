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
  DefaultPreemption(reader) {
    const minCandidateNodesPercentage = reader.integer('minCandidateNodesPercentage', 0, 100);
    const minCandidateNodesAbsolute = reader.integer('minCandidateNodesAbsolute', 0);
    if (minCandidateNodesPercentage === 0 && minCandidateNodesAbsolute === 0) {
      reader.fail(
        'minCandidateNodesPercentage',
        'Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute',
      );
    }
    return { minCandidateNodesPercentage, minCandidateNodesAbsolute };
  },
  InterPodAffinity: (reader) => ({
    hardPodAffinityWeight: reader.integer('hardPodAffinityWeight', 0, 100),
    ignorePreferredTermsOfExistingPods: reader.boolean('ignorePreferredTermsOfExistingPods'),
  }),
  NodeAffinity: (reader) => ({
    addedAffinity: reader.raw('addedAffinity'),
  }),
  NodeResourcesBalancedAllocation: (reader) => ({ resources: evenResourcesOf(reader) }),
  NodeResourcesFit: readFit,
  PodTopologySpread: readSpread,
  VolumeBinding(reader) {
    if (reader.raw('shape') !== undefined) {
      reader.fail('shape', 'Forbidden: scoring by storage capacity is not supported');
    }
    return { bindTimeoutSeconds: bindTimeoutOf(reader) };
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
  const isRatio = type === 'RequestedToCapacityRatio';
  if (isRatio !== (ratio !== undefined)) {
    strategy?.fail(
      'requestedToCapacityRatio',
      isRatio
        ? 'Required value: must be specified when type is RequestedToCapacityRatio'
        : 'Forbidden: must be nil when type is not RequestedToCapacityRatio',
    );
  }
  const shape = ratio?.objects('shape').map((point) => {
    const utilization = point.integer('utilization', 0, 100) ?? 0;
    const score = point.integer('score', 0, 10) ?? 0;
    point.end();
    return { utilization, score };
  });
  ratio?.end();
  if (isRatio && (shape ?? []).length === 0) {
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
        `Invalid value: ${utilization}: values must be sorted in increasing order`,
      );
    }
  }
  const resources = strategy === undefined ? undefined : resourcesOf(strategy);
  strategy?.end();
  const ignoredResourceGroups = reader.strings('ignoredResourceGroups');
  for (const [index, group] of ignoredResourceGroups.entries()) {
    if (!group.includes('/')) continue;
    const problem = `Invalid value: "${group}": resource group name can't contain '/'`;
    reader.fail(`ignoredResourceGroups[${index}]`, problem);
  }
  return {
    ignoredResources: reader.strings('ignoredResources'),
    ignoredResourceGroups,
    scoringStrategy:
      strategy === undefined ? undefined : { type, resources, requestedToCapacityRatio: { shape } },
  };
}

function resourcesOf(reader: FieldReader): { name: string; weight: number }[] | undefined {
  const resources = reader.objects('resources').map((one) => {
    const name = one.string('name') ?? one.fail('name', 'Required value');
    // 0 is as good as absent.
    const problem = `resource weight of ${name} not in valid range (0, 100]`;
    const weight = one.integer('weight', 0, 100, problem) || 1;
    one.end();
    return { name, weight };
  });
  return resources.length === 0 ? undefined : resources;
}

/** Those of a plugin that knows no weights. */
function evenResourcesOf(reader: FieldReader): { name: string; weight: number }[] | undefined {
  const resources = reader.objects('resources').map((one) => {
    const name = one.string('name') ?? one.fail('name', 'Required value');
    one.integer('weight', 0, 1, 'must be 1');
    one.end();
    return { name, weight: 1 };
  });
  for (const [index, { name }] of resources.entries()) {
    if (resources.findIndex((other) => other.name === name) === index) continue;
    reader.fail(`resources[${index}].name`, `Duplicate value: "${name}"`);
  }
  return resources.length === 0 ? undefined : resources;
}

function bindTimeoutOf(reader: FieldReader): number | undefined {
  const problem = 'invalid BindTimeoutSeconds, should not be a negative value';
  return reader.integer('bindTimeoutSeconds', 0, Number.MAX_SAFE_INTEGER, problem);
}

const notPositive = 'not in valid range (0, inf)';
const empty = 'Required value: can not be empty';

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
      maxSkew:
        one.integer('maxSkew', 1, Number.MAX_SAFE_INTEGER, notPositive) ??
        one.fail('maxSkew', `Invalid value: 0: ${notPositive}`),
      topologyKey: one.string('topologyKey') || one.fail('topologyKey', empty),
      whenUnsatisfiable:
        one.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']) ??
        one.fail('whenUnsatisfiable', empty),
    };
    one.end();
    return constraint;
  });
  if (type === 'System' && constraints.length > 0) {
    reader.fail(
      'defaultingType',
      'Invalid value: "System": when .defaultConstraints are not empty',
    );
  }
  const pairs = constraints.map((one) => `{${one.topologyKey}, ${one.whenUnsatisfiable}}`);
  for (const [index, pair] of pairs.entries()) {
    if (pairs.indexOf(pair) === index) continue;
    reader.fail(`defaultConstraints[${index}]`, `Duplicate value: "${pair}"`);
  }
  return type === 'List' ? { defaultConstraints: constraints } : {};
}
