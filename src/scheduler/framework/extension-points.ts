import type { Plugin } from './plugin.ts';

/** The extension points by the names of KubeSchedulerConfiguration, and the method that serves each. */
export const extensionPoints = {
  preEnqueue: 'preEnqueue',
  queueSort: 'less',
  preFilter: 'preFilter',
  filter: 'filter',
  postFilter: 'postFilter',
  preScore: 'preScore',
  score: 'score',
  reserve: 'reserve',
  permit: 'permit',
  preBind: 'preBind',
  bind: 'bind',
  postBind: 'postBind',
} as const satisfies Readonly<Record<string, keyof Plugin>>;

export type ExtensionPoint = keyof typeof extensionPoints;

export const extensionPointNames = Object.keys(extensionPoints) as ExtensionPoint[];

/** A plugin and how much its score counts. */
export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

/** The plugins of each extension point, in the order in which they are asked. */
export type PluginsByPoint = Readonly<Record<ExtensionPoint, readonly WeightedPlugin[]>>;

/** Each plugin at every point it has, in one order for all points: what multiPoint means. */
export function atEveryPoint(plugins: readonly WeightedPlugin[]): PluginsByPoint {
  const entries = extensionPointNames.map((point) => [
    point,
    plugins.filter(({ plugin }) => serves(plugin, point)),
  ]);
  return Object.fromEntries(entries) as PluginsByPoint;
}

/** A plugin that undoes reservations takes part in Reserve even if it only undoes. */
export function serves(plugin: Plugin, point: ExtensionPoint): boolean {
  if (plugin[extensionPoints[point]] !== undefined) return true;
  return point === 'reserve' && plugin.unreserve !== undefined;
}
