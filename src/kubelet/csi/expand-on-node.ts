import { messageOf } from '#base/errors.ts';
import { parseQuantity, quantityValue } from '#base/quantity.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import type { CsiDriver } from './csi-driver.ts';
import type { CsiPaths } from './csi-paths.ts';
import { readSecret } from './driver-object.ts';
import { capabilityOf, stagingOf, targetOf } from './mount-planned.ts';
import type { VolumePlan } from './volume-plan.ts';

/** Has the driver grow a mounted volume; undefined when it has nothing to do on nodes. */
export async function expandOnNode(options: {
  client: Client;
  driver: CsiDriver;
  plan: VolumePlan;
  pod: Pod;
  paths: CsiPaths;
  signal: AbortSignal;
}): Promise<number | undefined> {
  const { client, driver, plan, paths, signal } = options;
  const capabilities = await driver.capabilities();
  if (!capabilities.has('EXPAND_VOLUME')) return undefined;
  const capacity = plan.volume?.spec?.capacity?.['storage'] ?? '0';
  const requiredBytes = quantityValue(parseQuantity(capacity));
  const { nodeExpandSecretRef } = plan.volume?.spec?.csi ?? {};
  try {
    const bytes = await driver.expand(
      {
        volumeId: plan.handle,
        volumePath: targetOf(paths, plan),
        stagingTargetPath: stagingOf(paths, plan, capabilities),
        capacityRange: { requiredBytes },
        volumeCapability: capabilityOf(options, capabilities),
        secrets: await readSecret(client, nodeExpandSecretRef, signal),
      },
      signal,
    );
    return bytes === 0 ? requiredBytes : bytes;
  } catch (error) {
    throw new VolumeError(messageOf(error), { operation: 'NodeExpandVolume', cause: error });
  }
}
