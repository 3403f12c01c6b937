import { extensionPointNames, serves } from '../framework/extension-points.ts';
import type {
  ExtensionPoint,
  PluginsByPoint,
  WeightedPlugin,
} from '../framework/extension-points.ts';
import type { Plugin } from '../framework/plugin.ts';
import type {
  PluginReference,
  PluginSet,
  ProfileConfiguration,
} from './scheduler-configuration.ts';

const nothing: PluginSet = { enabled: [], disabled: [] };

/** Upstream's defaults with what a profile enables and disables: one enabled again takes its place. */
export function mergePluginSets(
  defaults: readonly PluginReference[],
  custom: PluginSet = nothing,
): PluginReference[] {
  const disabled = new Set(custom.disabled.map(({ name }) => name));
  const replaced = new Map(custom.enabled.map((one) => [one.name, one]));
  const kept = disabled.has('*') ? [] : defaults.filter(({ name }) => !disabled.has(name));
  const merged = kept.map((one) => {
    const own = replaced.get(one.name);
    replaced.delete(one.name);
    return own ?? one;
  });
  return [...merged, ...custom.enabled.filter(({ name }) => replaced.has(name))];
}

/**
 * The plugins of each point. Those of multiPoint serve every point they have; a point's own list
 * comes over that: first the multiPoint plugins it gives a new weight, then the others of
 * multiPoint, then those it adds. Mirrors upstream's expandMultiPointPlugins.
 */
export function pluginsByPoint(options: {
  configuration: ProfileConfiguration;
  defaults: readonly PluginReference[];
  plugin: (name: string) => Plugin;
}): PluginsByPoint {
  const { configuration, defaults, plugin } = options;
  const multiPoint = mergePluginSets(defaults, configuration.plugins.multiPoint);
  const entries = extensionPointNames.map((point) => {
    const set = configuration.plugins[point] ?? nothing;
    return [point, expand(point, set, multiPoint, plugin)];
  });
  return Object.fromEntries(entries) as PluginsByPoint;
}

function expand(
  point: ExtensionPoint,
  set: PluginSet,
  multiPoint: readonly PluginReference[],
  plugin: (name: string) => Plugin,
): WeightedPlugin[] {
  const disabled = new Set(set.disabled.map(({ name }) => name));
  const own = new Map(set.enabled.map((one) => [one.name, one]));
  const overriding: PluginReference[] = [];
  const inherited: PluginReference[] = [];
  if (!disabled.has('*')) {
    for (const one of multiPoint) {
      if (!serves(plugin(one.name), point)) continue;
      const override = own.get(one.name);
      if (override !== undefined) {
        overriding.push(override);
        own.delete(one.name);
      } else if (!disabled.has(one.name)) {
        inherited.push(one);
      }
    }
  }
  const added = set.enabled.filter(({ name }) => own.has(name));
  return [...overriding, ...inherited, ...added].map(({ name, weight }) => ({
    plugin: plugin(name),
    // a plugin that scores counts at least once
    weight: weight === 0 ? 1 : weight,
  }));
}
