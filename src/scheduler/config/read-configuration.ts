import { K3tsError, messageOf } from '#base/errors.ts';
import { readYaml } from '#schema/mod.ts';
import { extensionPointNames } from '../framework/extension-points.ts';
import type { ExtensionPoint } from '../framework/extension-points.ts';
import type { PluginArgs } from '../plugins/registry.ts';
import { FieldReader } from './field-reader.ts';
import { readPluginArgs } from './plugin-args.ts';
import { readExtender } from './read-extender.ts';
import type { ReadFile } from './read-extender.ts';
import type {
  PluginSet,
  ProfileConfiguration,
  SchedulerConfiguration,
} from './scheduler-configuration.ts';

const apiVersion = 'kubescheduler.config.k8s.io/v1';
const noMaximum = Number.MAX_SAFE_INTEGER;
const noMinimum = Number.MIN_SAFE_INTEGER;
/** Fields that k3ts' scheduler has no use for: it shares the server's process and connections. */
const withoutEffect = [
  'leaderElection',
  'clientConnection',
  'enableProfiling',
  'enableContentionProfiling',
  'delayCacheUntilActive',
];

/**
 * Reads a KubeSchedulerConfiguration; throws K3tsError Usage with the path of what is wrong. Files
 * that it names are read through `readFile`; without it they cannot be.
 */
export function readSchedulerConfiguration(
  text: string,
  readFile: ReadFile = noFiles,
): SchedulerConfiguration {
  const file = new FieldReader(parse(text), '');
  if (file.raw('apiVersion') !== apiVersion || file.raw('kind') !== 'KubeSchedulerConfiguration') {
    const found = `${String(file.raw('kind'))} of ${String(file.raw('apiVersion'))}`;
    throw new K3tsError(
      'Usage',
      `KubeSchedulerConfiguration of ${apiVersion} expected, not ${found}`,
    );
  }
  for (const field of withoutEffect) file.raw(field);
  // Nodes are looked at one after the other, but a mistake is told.
  file.integer('parallelism', 1, noMaximum, 'should be an integer value greater than zero');
  const podInitialBackoffSeconds =
    file.integer('podInitialBackoffSeconds', 1, noMaximum, 'must be greater than 0') ?? 1;
  const podMaxBackoffSeconds = file.integer('podMaxBackoffSeconds', noMinimum) ?? 10;
  if (podMaxBackoffSeconds < podInitialBackoffSeconds) {
    file.fail(
      'podMaxBackoffSeconds',
      `Invalid value: ${podMaxBackoffSeconds}: must be greater than or equal to PodInitialBackoffSeconds`,
    );
  }
  const profiles = file.objects('profiles').map(readProfile);
  const configuration = {
    percentageOfNodesToScore: percentageOf(file) ?? 0,
    podInitialBackoffSeconds,
    podMaxBackoffSeconds,
    profiles: profiles.length > 0 ? profiles : [readProfile(new FieldReader({}, 'profiles[0]'))],
    extenders: file.objects('extenders').map((one) => readExtender(one, readFile)),
  };
  file.end();
  checkNames(configuration.profiles);
  checkManagedResources(configuration.extenders);
  const binders = configuration.extenders.filter(({ bindVerb }) => bindVerb !== '').length;
  if (binders > 1) {
    file.fail(
      'extenders',
      `Invalid value: "found ${binders} extenders implementing bind": only one extender can implement bind`,
    );
  }
  return configuration;
}

function percentageOf(reader: FieldReader): number | undefined {
  return reader.integer('percentageOfNodesToScore', 0, 100, 'not in valid range [0-100]');
}

function noFiles(path: string): string {
  throw new K3tsError('Usage', `${path} cannot be read here`);
}

function parse(text: string): unknown {
  try {
    return readYaml(text).value;
  } catch (error) {
    throw new K3tsError('Usage', `not valid YAML: ${messageOf(error)}`, { cause: error });
  }
}

function checkNames(profiles: readonly ProfileConfiguration[]): void {
  const seen = new Set<string>();
  for (const [index, { schedulerName }] of profiles.entries()) {
    const field = `profiles[${index}].schedulerName`;
    if (schedulerName === '') throw new K3tsError('Usage', `${field}: Required value`);
    if (seen.has(schedulerName)) {
      throw new K3tsError('Usage', `${field}: Duplicate value: "${schedulerName}"`);
    }
    seen.add(schedulerName);
  }
}

/** No resource is looked after by two extenders. */
function checkManagedResources(extenders: SchedulerConfiguration['extenders']): void {
  const seen = new Set<string>();
  for (const [index, { managedResources }] of extenders.entries()) {
    for (const [place, { name }] of managedResources.entries()) {
      if (seen.has(name)) {
        const path = `extenders[${index}].managedResources[${place}].name`;
        const problem = 'duplicate extender managed resource name';
        throw new K3tsError('Usage', `${path}: Invalid value: "${name}": ${problem}`);
      }
      seen.add(name);
    }
  }
}

function readProfile(reader: FieldReader): ProfileConfiguration {
  const plugins: Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>> = {};
  const sets = reader.object('plugins');
  for (const point of [...extensionPointNames, 'multiPoint'] as const) {
    const set = sets?.object(point);
    if (set !== undefined) plugins[point] = readPluginSet(set);
  }
  sets?.end();
  const pluginConfig = new Map<string, PluginArgs>();
  for (const entry of reader.objects('pluginConfig')) {
    const name = entry.string('name') ?? entry.fail('name', 'Required value');
    if (pluginConfig.has(name)) entry.fail('name', `Duplicate value: "${name}"`);
    const args = entry.object('args');
    const checked = args === undefined ? {} : readPluginArgs(name, args);
    pluginConfig.set(name, checked ?? (entry.raw('args') as PluginArgs));
    entry.end();
  }
  const profile = {
    schedulerName: reader.string('schedulerName') ?? 'default-scheduler',
    percentageOfNodesToScore: percentageOf(reader),
    plugins,
    pluginConfig,
  };
  reader.end();
  return profile;
}

function readPluginSet(reader: FieldReader): PluginSet {
  const references = (field: 'enabled' | 'disabled') =>
    reader.objects(field).map((one) => {
      const name = one.string('name') ?? one.fail('name', 'Required value');
      const weight = one.integer('weight', 0) ?? 0;
      one.end();
      return { name, weight };
    });
  const set = { enabled: references('enabled'), disabled: references('disabled') };
  reader.end();
  return set;
}
