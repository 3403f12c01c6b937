import { K3tsError } from '#base/errors.ts';
import type { Plugin } from '../framework/plugin.ts';
import { serves } from '../framework/extension-points.ts';
import type { ExtensionPoint } from '../framework/extension-points.ts';
import { createProfile } from '../framework/profile.ts';
import type { Profile } from '../framework/profile.ts';
import { defaultMultiPoint, pluginFactories } from '../plugins/registry.ts';
import type { PluginFactory, PluginParts } from '../plugins/registry.ts';
import { pluginsByPoint } from './plugin-sets.ts';
import type { ProfileConfiguration, SchedulerConfiguration } from './scheduler-configuration.ts';

/** What plugins are made of; each profile's record events as its scheduler. */
export type ProfileParts = Omit<PluginParts, 'events'> & {
  readonly eventsFor: (schedulerName: string) => PluginParts['events'];
};

/**
 * The profiles of a configuration. `more` holds plugins of the user, by name; they serve the
 * profiles that enable them. Throws K3tsError Usage for what no scheduler can be made of.
 */
export function createProfiles(
  configuration: SchedulerConfiguration,
  parts: ProfileParts,
  more: Readonly<Record<string, PluginFactory>> = {},
): Profile[] {
  const factories = { ...pluginFactories, ...more };
  const countedElsewhere = configuration.extenders.flatMap(({ managedResources }) =>
    managedResources.filter((one) => one.ignoredByScheduler).map(({ name }) => name),
  );
  const made = configuration.profiles.map((profile) => {
    const points = pluginsByPoint({
      configuration: profile,
      defaults: defaultMultiPoint,
      plugin: pluginSource(withIgnored(profile, countedElsewhere), factories, {
        ...parts,
        events: parts.eventsFor(profile.schedulerName),
      }),
    });
    for (const [point, { enabled = [] } = {}] of Object.entries(profile.plugins)) {
      if (point === 'multiPoint') continue;
      for (const { name } of enabled) {
        const plugin = points[point as ExtensionPoint].find((one) => one.plugin.name === name);
        if (plugin !== undefined && serves(plugin.plugin, point as ExtensionPoint)) continue;
        throw usage(profile, `plugin "${name}" does not extend ${point} plugin`);
      }
    }
    if (points.queueSort.length !== 1) {
      const names = points.queueSort.map(({ plugin }) => plugin.name).join(' ');
      const problem =
        points.queueSort.length === 0
          ? 'no queue sort plugin is enabled'
          : `only one queue sort plugin required for profile with scheduler name "${profile.schedulerName}", but got [${names}]`;
      throw usage(profile, problem);
    }
    if (points.bind.length === 0) throw usage(profile, 'at least one bind plugin is needed');
    return { points, profile: createProfile(profile.schedulerName, points) };
  });
  const sorters = new Set(made.map(({ points }) => points.queueSort[0]?.plugin.name));
  if (sorters.size > 1) {
    throw new K3tsError('Usage', 'all profiles must use the same queue sort plugin');
  }
  return made.map(({ profile }) => profile);
}

/** NodeResourcesFit leaves to extenders what only they count. */
function withIgnored(
  profile: ProfileConfiguration,
  resources: readonly string[],
): ProfileConfiguration {
  if (resources.length === 0) return profile;
  const args = profile.pluginConfig.get('NodeResourcesFit') ?? {};
  const own = (args['ignoredResources'] ?? []) as readonly string[];
  const changed = { ...args, ignoredResources: [...own, ...resources] };
  return {
    ...profile,
    pluginConfig: new Map([...profile.pluginConfig, ['NodeResourcesFit', changed]]),
  };
}

/** Each plugin of a profile is made once, when it is first named. */
function pluginSource(
  profile: ProfileConfiguration,
  factories: Readonly<Record<string, PluginFactory>>,
  parts: PluginParts,
): (name: string) => Plugin {
  const made = new Map<string, Plugin>();
  for (const name of profile.pluginConfig.keys()) {
    if (!Object.hasOwn(factories, name)) throw usage(profile, `no plugin "${name}" to configure`);
  }
  return (name) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const create = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (create === undefined) throw usage(profile, `plugin "${name}" does not exist`);
    const plugin = create(parts, profile.pluginConfig.get(name) ?? {});
    made.set(name, plugin);
    return plugin;
  };
}

function usage({ schedulerName }: ProfileConfiguration, problem: string): K3tsError {
  return new K3tsError('Usage', `scheduler profile "${schedulerName}": ${problem}`);
}
