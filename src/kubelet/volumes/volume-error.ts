import { K3tsError, messageOf } from '#base/errors.ts';
import type { Volume } from '#schema/types.ts';

/** The step of upstream's that failed; part of the event's text. */
export type VolumeOperation = 'SetUp' | 'MountDevice' | 'WaitForAttach' | 'NodeExpandVolume';

/**
 * A volume that could not be set up; its text is what comes after `SetUp failed for volume "v" : `.
 */
export class VolumeError extends K3tsError {
  readonly operation: VolumeOperation;
  /** The PersistentVolume it is about, which events then name; absent for a pod's own volume. */
  volumeName: string | undefined;
  isBlock = false;

  constructor(message: string, options: { cause?: unknown; operation?: VolumeOperation } = {}) {
    super('VolumeSetUp', message, options);
    this.name = 'VolumeError';
    this.operation = options.operation ?? 'SetUp';
  }
}

/** The event that tells of a failed try, with upstream's reason and text. */
export function failureEvent(volume: Volume, error: unknown): { reason: string; message: string } {
  const known = error instanceof VolumeError ? error : undefined;
  const operation = known?.operation ?? 'SetUp';
  const name = known?.volumeName ?? volume.name;
  const rest = `failed for volume "${name}" : ${messageOf(error)}`;
  if (operation === 'NodeExpandVolume') {
    return { reason: 'VolumeResizeFailed', message: `NodeExpandVolume.NodeExpandVolume ${rest}` };
  }
  if (known?.isBlock !== true) {
    return { reason: 'FailedMount', message: `MountVolume.${operation} ${rest}` };
  }
  const step = operation === 'SetUp' ? 'MapPodDevice' : operation;
  return { reason: 'FailedMapVolume', message: `MapVolume.${step} ${rest}` };
}
