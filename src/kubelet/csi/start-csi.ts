import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import { makeDirectory } from '#host/files.ts';
import { every } from '../every.ts';
import { watchPlugins } from '../plugins/plugin-watcher.ts';
import type { PluginHandler } from '../plugins/plugin-watcher.ts';
import { createCsiNodeWriter } from './csi-node.ts';
import { createCsiPlugins } from './csi-plugins.ts';
import { openCsiVolumes } from './csi-volumes.ts';
import type { CsiVolumes } from './csi-volumes.ts';

const sweepMs = 60_000;

export interface Csi {
  readonly volumes: CsiVolumes;
}

/**
 * Reads what an earlier kubelet left mounted, then registers drivers and clears leftovers until the
 * signal is aborted.
 */
export async function startCsi(options: {
  /** `/var/lib/kubelet`. */
  rootDirectory: string;
  nodeName: string;
  client: Client;
  /** Plugins of other types that register in the same directory. */
  handlers?: Readonly<Record<string, PluginHandler>> | undefined;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<Csi> {
  const { rootDirectory, log, signal } = options;
  const directory = join(rootDirectory, 'plugins_registry');
  // Drivers that start before the node is registered put their sockets here.
  await makeDirectory(directory, 0o750);
  const csiNode = createCsiNodeWriter(options);
  const plugins = createCsiPlugins({ csiNode, clock: options.clock });
  const volumes = await openCsiVolumes({ ...options, plugins });
  const run = async (): Promise<void> => {
    await csiNode.ensure(signal);
    const handlers = { ...options.handlers, CSIPlugin: plugins };
    await Promise.all([
      watchPlugins({ ...options, directory, handlers }),
      every(sweepMs, 'CSI cleanup', () => volumes.sweep(), options),
    ]);
  };
  run().catch((error: unknown) => {
    if (!signal.aborted) log.error('CSI ended', { error: messageOf(error) });
  });
  return { volumes };
}
