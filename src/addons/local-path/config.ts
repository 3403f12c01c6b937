import { normalize } from 'node:path';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Random } from '#base/random.ts';

/** Where volumes of a node are, from `config.json` of the ConfigMap `local-path-config`. */
export interface LocalPathConfig {
  /** Paths by node name; each path is a directory above the volumes' own. */
  readonly nodePaths: ReadonlyMap<string, readonly string[]>;
  /** A directory that all nodes share; then volumes are not bound to a node. */
  readonly sharedPath: string | undefined;
}

const everyOtherNode = 'DEFAULT_PATH_FOR_NON_LISTED_NODES';

interface ConfigJson {
  nodePathMap?: { node?: string; paths?: string[] }[];
  sharedFileSystemPath?: string;
  storageClassConfigs?: Record<string, Omit<ConfigJson, 'storageClassConfigs'>>;
}

/**
 * Reads `config.json` for a class; a class that `storageClassConfigs` does not name has the common
 * settings. Throws with the texts of the provisioner that k3s packages.
 */
export function parseConfig(text: string | undefined, className: string): LocalPathConfig {
  let json: ConfigJson;
  try {
    json = JSON.parse(text ?? '') as ConfigJson;
  } catch (error) {
    throw new K3tsError('LocalPathConfig', `fail to load config file: ${messageOf(error)}`);
  }
  const { nodePathMap = [], sharedFileSystemPath = '' } =
    json.storageClassConfigs?.[className] ?? json;
  if (nodePathMap.length > 0 && sharedFileSystemPath !== '') {
    fail('cannot use nodePathMap and sharedFileSystemPath at the same time');
  }
  const nodePaths = new Map<string, readonly string[]>();
  for (const { node = '', paths = [] } of nodePathMap) {
    if (nodePaths.has(node)) fail(`duplicate node ${node}`);
    nodePaths.set(node, checkPaths(paths, node));
  }
  const sharedPath = sharedFileSystemPath === '' ? undefined : normalize(sharedFileSystemPath);
  if (sharedPath !== undefined) checkPaths([sharedPath], 'all nodes');
  return { nodePaths, sharedPath };
}

function checkPaths(paths: readonly string[], node: string): readonly string[] {
  const clean: string[] = [];
  for (const path of paths) {
    if (!path.startsWith('/')) fail(`path must start with / for path ${path} on node ${node}`);
    const short = normalize(path).replace(/(?<=.)\/$/, '');
    if (short === '/') fail(`cannot use root ('/') as path on node ${node}`);
    if (clean.includes(short)) fail(`duplicate path ${path} on node ${node}`);
    clean.push(short);
  }
  return clean;
}

/** The directory above a new volume; of several the wanted one, or any. */
export function choosePath(
  config: LocalPathConfig,
  node: string,
  { wanted = '', random }: { wanted?: string | undefined; random: Random },
): string {
  if (config.sharedPath !== undefined) return config.sharedPath;
  const paths = config.nodePaths.get(node) ?? config.nodePaths.get(everyOtherNode);
  if (paths === undefined) {
    return fail(`config doesn't contain node ${node}, and no ${everyOtherNode} available`);
  }
  if (paths.length === 0) return fail(`no local path available on node ${node}`);
  if (wanted !== '') {
    if (paths.includes(wanted)) return wanted;
    return fail(`config doesn't contain path ${wanted} on node ${node}`);
  }
  return paths[random.integer(paths.length)] ?? '';
}

function fail(text: string): never {
  throw new K3tsError('LocalPathConfig', text);
}
