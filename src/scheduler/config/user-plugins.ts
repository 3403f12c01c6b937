import { K3tsError } from '#base/errors.ts';
import type { PluginFactory } from '../plugins/registry.ts';
import type { ProfileConfiguration, SchedulerConfiguration } from './scheduler-configuration.ts';

/** What a file of the user exports as its default. */
export interface UserPlugin {
  /** As profiles and pluginConfig name it. */
  readonly name: string;
  /** Weight of its score where no profile gives one; 1 when absent. */
  readonly weight?: number;
  /** Makes the plugin for one profile; `args` are those of pluginConfig, unchecked. */
  readonly create: PluginFactory;
}

/** The plugin that a module exports; throws K3tsError Usage when it exports something else. */
export function userPluginOf(module: unknown, file: string): UserPlugin {
  const found = (module as { default?: unknown } | null)?.default as
    | Partial<UserPlugin>
    | null
    | undefined;
  const { name, weight, create } = found ?? {};
  if (typeof name !== 'string' || name === '' || typeof create !== 'function') {
    throw new K3tsError(
      'Usage',
      `--scheduler-plugin ${file}: the default export must be an object with name and create()`,
    );
  }
  return { name, create, ...(weight === undefined ? {} : { weight }) };
}

/** Every profile that does not name a plugin itself, enabled or disabled, gets it at all points. */
export function enableUserPlugins(
  configuration: SchedulerConfiguration,
  plugins: readonly UserPlugin[],
): SchedulerConfiguration {
  const withPlugins = (profile: ProfileConfiguration): ProfileConfiguration => {
    const { enabled = [], disabled = [] } = profile.plugins.multiPoint ?? {};
    const missing = plugins
      .filter(({ name }) => !namesPlugin(profile, name))
      .map(({ name, weight = 1 }) => ({ name, weight }));
    if (missing.length === 0) return profile;
    const multiPoint = { enabled: [...enabled, ...missing], disabled };
    return { ...profile, plugins: { ...profile.plugins, multiPoint } };
  };
  return { ...configuration, profiles: configuration.profiles.map(withPlugins) };
}

function namesPlugin({ plugins }: ProfileConfiguration, name: string): boolean {
  return Object.values(plugins).some((set) =>
    [...(set?.enabled ?? []), ...(set?.disabled ?? [])].some((one) => one.name === name),
  );
}
