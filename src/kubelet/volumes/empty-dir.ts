import { chmod } from 'node:fs/promises';
import { parseQuantity, quantityValue } from '#base/quantity.ts';
import { makeDirectory } from '#host/files.ts';
import { isMountPoint, mountTmpfs } from '#host/mounts.ts';
import type { EmptyDirVolumeSource, Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import { amountValue } from '../pods/resources.ts';
import { VolumeError } from './volume-error.ts';

/** Open to everybody, as the containers' users are not known. */
const openMode = 0o777;

/** Makes an emptyDir; one that is there keeps its content. */
export async function makeEmptyDir(options: {
  directory: string;
  source: EmptyDirVolumeSource;
  pod: Pod;
  /** Allocatable memory of the node: the size of a memory volume without any limit. */
  nodeMemoryBytes: number;
}): Promise<void> {
  const { directory, source, pod, nodeMemoryBytes } = options;
  const { medium = '' } = source;
  if (medium !== '' && medium !== 'Memory') {
    if (medium.startsWith('HugePages')) {
      throw new VolumeError(`emptyDir with medium ${medium} is not supported by k3ts`);
    }
    throw new VolumeError(`unknown storage medium ${JSON.stringify(medium)}`);
  }
  if (medium === 'Memory') {
    const sizeBytes = memorySize(pod, source.sizeLimit, nodeMemoryBytes);
    await makeTmpfs(directory, sizeBytes);
  } else await makeDirectory(directory, openMode);
}

/** A tmpfs mounted on the directory, unless one is there. */
export async function makeTmpfs(directory: string, sizeBytes: number): Promise<void> {
  await makeDirectory(directory, openMode);
  if (await isMountPoint(directory)) return;
  mountTmpfs(directory, { sizeBytes, mode: openMode });
  await chmod(directory, openMode);
}

/** The least of the volume's limit, the pod's memory limit and the node's memory, as upstream. */
export function memorySize(
  pod: Pod,
  sizeLimit: string | undefined,
  nodeMemoryBytes: number,
): number {
  const sizes = [nodeMemoryBytes];
  const own = sizeLimit === undefined ? 0 : quantityValue(parseQuantity(sizeLimit));
  if (own > 0) sizes.push(own);
  const ofPod = podMemoryLimit(pod);
  if (ofPod !== undefined) sizes.push(ofPod);
  return Math.min(...sizes);
}

/** Undefined when a container has no limit. */
function podMemoryLimit(pod: Pod): number | undefined {
  const { containers, initContainers = [], resources } = specOf(pod);
  const whole = amountValue(resources?.limits, 'memory');
  if (whole > 0) return whole;
  const limit = (container: (typeof containers)[number]): number =>
    amountValue(container.resources?.limits, 'memory');
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const limits = [...containers, ...sidecars].map(limit);
  if (limits.some((bytes) => bytes === 0)) return undefined;
  const total = limits.reduce((sum, bytes) => sum + bytes, 0);
  return Math.max(total, ...initContainers.map(limit));
}
