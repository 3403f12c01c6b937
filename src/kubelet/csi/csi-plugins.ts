import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { PluginHandler } from '../plugins/plugin-watcher.ts';
import { createCsiDriver } from './csi-driver.ts';
import type { CsiDriver } from './csi-driver.ts';
import type { CsiNodeWriter } from './csi-node.ts';

/** The CSI drivers that are registered on this node. */
export interface CsiPlugins extends PluginHandler {
  /** Throws upstream's text when the driver is not there. */
  driver(name: string): CsiDriver;
}

/** Registers drivers that speak version 1, and writes them to the CSINode. */
export function createCsiPlugins(options: { csiNode: CsiNodeWriter; clock: Clock }): CsiPlugins {
  const { csiNode, clock } = options;
  const drivers = new Map<string, CsiDriver>();
  const close = (name: string): void => {
    drivers.get(name)?.close();
    drivers.delete(name);
  };
  return {
    async register({ name, endpoint, supportedVersions }, signal) {
      if (!supportedVersions.some((version) => /^v?1\.\d+/.test(version))) {
        const found = supportedVersions.join(',');
        throw new K3tsError(
          'CsiVersion',
          `versions [${found}] of CSI driver ${name} are not supported`,
        );
      }
      const driver = createCsiDriver({ socketPath: endpoint, clock });
      try {
        const info = await driver.nodeInfo(signal);
        if (info.nodeId === '') {
          throw new K3tsError('CsiNodeInfo', `CSI driver ${name} has no id for this node`);
        }
        await csiNode.add(name, info);
      } catch (error) {
        driver.close();
        throw error;
      }
      close(name);
      drivers.set(name, driver);
    },
    async deregister(name) {
      close(name);
      await csiNode.remove(name);
    },
    driver(name) {
      const driver = drivers.get(name);
      if (driver !== undefined) return driver;
      throw new K3tsError(
        'CsiDriver',
        `driver name ${name} not found in the list of registered CSI drivers`,
      );
    },
  };
}
