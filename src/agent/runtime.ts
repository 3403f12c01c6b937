import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { createCriClient } from '#kubelet/cri/mod.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { createImageSnapshots } from '#kubelet/images/mod.ts';
import type { ImageSource } from '#kubelet/volumes/mod.ts';
import { importImages, startContainerd } from './containerd/mod.ts';
import type { AgentPaths } from './paths.ts';
import type { AgentSettings } from './settings.ts';

const runDir = '/run/k3s';

/** The container runtime as the rest of the agent sees it. */
export interface Runtime {
  readonly cri: CriClient;
  /** A path on the file system of images. */
  readonly imagePath: string;
  /** Where volumes from images come from; undefined for runtimes that are not ours. */
  readonly imageSource: ImageSource | undefined;
  stop(): Promise<void>;
}

/**
 * Starts (or adopts) containerd and imports the images that lie in agent/images; with
 * --container-runtime-endpoint it only connects.
 */
export async function startRuntime(options: {
  settings: AgentSettings;
  paths: AgentPaths;
  environment: Readonly<Record<string, string>>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<Runtime> {
  const { settings, paths, environment, clock, log, signal } = options;
  if (settings.containerRuntimeEndpoint !== undefined) {
    const socketPath = settings.containerRuntimeEndpoint.replace(/^unix:\/\//, '');
    const cri = createCriClient({ socketPath, clock, log });
    await cri.runtime.version();
    const stop = (): Promise<void> => Promise.resolve(cri.close());
    return { cri, imagePath: settings.dataDir, imageSource: undefined, stop };
  }
  const path = environment['PATH'] ?? '';
  const containerd = await startContainerd({
    dataDir: settings.dataDir,
    runDir,
    privateRegistry: settings.privateRegistry,
    path,
    environment,
    cniConfDir: paths.cniConfig,
    pauseImage: settings.pauseImage,
    snapshotter: settings.snapshotter,
    isDefaultEndpointDisabled: settings.disableDefaultRegistryEndpoint,
    hasNonrootDevices: settings.nonrootDevices,
    clock,
    log,
    signal,
  });
  const cri = createCriClient({ socketPath: containerd.socket, clock, log });
  await importImages({
    directory: paths.images,
    store: containerd.images,
    pullImage: async (image) => {
      await cri.images.pullImage({ image }, {});
    },
    path,
    clock,
    log,
    signal,
  });
  const { snapshotter } = containerd;
  const snapshots = createImageSnapshots({ socketPath: containerd.socket, snapshotter, clock });
  return {
    cri,
    imagePath: containerd.paths.root,
    imageSource: { images: cri.images, snapshots },
    async stop() {
      snapshots.close();
      cri.close();
      await containerd.stop();
    },
  };
}
