import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { hasCapability } from '#host/capabilities.ts';
import { findCniDirectories, type ContainerdVersion } from './binaries.ts';
import {
  applyTemplate,
  configToml,
  type ConfigVersion,
  type ContainerdConfig,
} from './config-toml.ts';
import { hostsFiles } from './hosts-toml.ts';
import { noRegistries, parseRegistries, type Registries } from './registries.ts';
import { chooseSnapshotter } from './snapshotter.ts';

/** Files of containerd, in the places of k3s. */
export interface ContainerdPaths {
  readonly root: string;
  readonly log: string;
  readonly opt: string;
  readonly state: string;
  readonly socket: string;
  readonly pidFile: string;
  /** What there was when containerd began, while it is being looked at. */
  readonly predecessor: string;
  readonly etc: string;
  readonly config: string;
  readonly certs: string;
  readonly crictl: string;
  /** Archives to import at the start. */
  readonly images: string;
}

export function containerdPaths(dataDir: string, runDir: string): ContainerdPaths {
  const agent = join(dataDir, 'agent');
  const root = join(agent, 'containerd');
  const etc = join(agent, 'etc', 'containerd');
  const state = join(runDir, 'containerd');
  return {
    root,
    log: join(root, 'containerd.log'),
    opt: root,
    state,
    socket: join(state, 'containerd.sock'),
    pidFile: join(state, 'containerd.pid'),
    predecessor: join(state, 'predecessor.json'),
    etc,
    config: join(etc, 'config.toml'),
    certs: join(etc, 'certs.d'),
    crictl: join(agent, 'etc', 'crictl.yaml'),
    images: join(agent, 'images'),
  };
}

/** What the user says of containerd. */
export interface ContainerdSettings {
  /** `/etc/rancher/k3s/registries.yaml`; it may be absent. */
  privateRegistry: string;
  cniConfDir: string;
  /** Looked at before the directories of distributions. */
  cniBinDirs?: readonly string[] | undefined;
  pauseImage: string;
  snapshotter: string;
  /** 10010 in k3s; nodes that share a network namespace need different ones. */
  streamPort?: number | undefined;
  isDefaultEndpointDisabled?: boolean | undefined;
  hasNonrootDevices?: boolean | undefined;
  hasSystemdCgroup?: boolean | undefined;
}

export interface WriteOptions extends ContainerdSettings {
  paths: ContainerdPaths;
  version: ContainerdVersion;
  log: Logger;
}

/**
 * Writes config.toml, certs.d and crictl.yaml. `hasChanged` means that a containerd that runs with
 * the old config.toml has to be restarted; certs.d is read at each pull and needs none.
 */
export async function writeConfiguration(
  options: WriteOptions,
): Promise<{ hasChanged: boolean; snapshotter: string }> {
  const { paths, version, log } = options;
  for (const directory of [paths.root, paths.state, paths.etc]) {
    await mkdir(directory, { recursive: true, mode: 0o711 });
  }
  const registries = await readRegistries(options.privateRegistry, log);
  const snapshotter = await chooseSnapshotter({
    wanted: options.snapshotter,
    root: paths.root,
    log,
  });
  const config: ContainerdConfig = {
    root: paths.root,
    state: paths.state,
    socket: paths.socket,
    opt: paths.opt,
    imports: join(paths.etc, 'config-v3.toml.d', '*.toml'),
    streamPort: options.streamPort ?? 10_010,
    sandboxImage: options.pauseImage,
    snapshotter,
    cniBinDirs: findCniDirectories(options.cniBinDirs ?? []),
    hasCniBinList: version.major > 2 || (version.major === 2 && version.minor >= 1),
    cniConfDir: options.cniConfDir,
    certsDir: paths.certs,
    registries,
    hasSystemdCgroup: options.hasSystemdCgroup ?? false,
    hasUnprivilegedPorts: true,
    hasNonrootDevices: options.hasNonrootDevices ?? false,
    isOomScoreRestricted: !(await hasCapability('sysResource')),
  };
  if (config.cniBinDirs.length === 0) {
    log.warning('no CNI plugins found: install them (apt-get install containernetworking-plugins)');
  }
  const text = await renderConfig(config, version, paths.etc);
  await writeCerts(paths.certs, registries, options.isDefaultEndpointDisabled ?? false);
  const endpoint = `unix://${paths.socket}`;
  await writeIfChanged(
    paths.crictl,
    `runtime-endpoint: ${endpoint}\nimage-endpoint: ${endpoint}\n`,
    0o644,
  );
  return { hasChanged: await writeIfChanged(paths.config, text, 0o600), snapshotter };
}

/** The user's template for this format when there is one; a version 2 file also suits 2.x. */
async function renderConfig(
  config: ContainerdConfig,
  version: ContainerdVersion,
  etc: string,
): Promise<string> {
  const candidates: [string, ConfigVersion][] =
    version.major >= 2
      ? [
          ['config-v3.toml.tmpl', 3],
          ['config.toml.tmpl', 2],
        ]
      : [['config.toml.tmpl', 2]];
  for (const [name, format] of candidates) {
    const template = await readOptional(join(etc, name));
    if (template !== undefined) return applyTemplate(template, configToml(config, format));
  }
  return configToml(config, version.major >= 2 ? 3 : 2);
}

async function readRegistries(file: string, log: Logger): Promise<Registries> {
  const text = await readOptional(file);
  if (text === undefined) return noRegistries;
  const registries = parseRegistries(text);
  for (const warning of registries.warnings) log.warning(warning);
  return registries;
}

/** Makes certs.d hold exactly these files; directories of removed registries go away. */
async function writeCerts(
  directory: string,
  registries: Registries,
  isDefaultEndpointDisabled: boolean,
): Promise<void> {
  const files = hostsFiles(registries, { isDefaultEndpointDisabled });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const wanted = new Set(files.map((file) => file.directory));
  for (const name of await readdir(directory)) {
    if (!wanted.has(name)) await rm(join(directory, name), { recursive: true });
  }
  for (const file of files) {
    await writeIfChanged(join(directory, file.directory, 'hosts.toml'), file.text, 0o600);
  }
}

async function writeIfChanged(path: string, text: string, mode: number): Promise<boolean> {
  if ((await readOptional(path)) === text) return false;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode });
  return true;
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
