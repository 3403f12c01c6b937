import { chmod } from 'node:fs/promises';
import { parseQuantity, quantityValue } from '#base/quantity.ts';
import { makeDirectory } from '#host/files.ts';
import { isMountPoint, mountFileSystem, mountTmpfs } from '#host/mounts.ts';
import type { EmptyDirVolumeSource, Pod } from '#schema/types.ts';
import { containersOf, specOf } from '../pods/names.ts';
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
  if (medium.startsWith('HugePages')) {
    await makeHugePages(directory, hugePageBytes(pod, medium));
  } else if (medium !== '' && medium !== 'Memory') {
    throw new VolumeError(`unknown storage medium ${JSON.stringify(medium)}`);
  } else if (medium === 'Memory') {
    const sizeBytes = memorySize(pod, source.sizeLimit, nodeMemoryBytes);
    await makeTmpfs(directory, sizeBytes);
  } else await makeDirectory(directory, openMode);
}

/** A file system of huge pages; how many there are is up to the machine and the pod's limits. */
async function makeHugePages(directory: string, pageBytes: number): Promise<void> {
  await makeDirectory(directory, openMode);
  if (await isMountPoint(directory)) return;
  mountFileSystem('hugetlbfs', directory, `pagesize=${pageBytes}`);
  await chmod(directory, openMode);
}

const hugePagePrefix = 'hugepages-';

/** The size in `HugePages-2Mi`, or the only one that the pod's containers ask for. */
export function hugePageBytes(pod: Pod, medium: string): number {
  const sizes = new Set(
    containersOf(pod).flatMap(({ container }) =>
      [container.resources?.requests, container.resources?.limits]
        .flatMap((amounts) => Object.keys(amounts ?? {}))
        .filter((name) => name.startsWith(hugePagePrefix))
        .map((name) => name.slice(hugePagePrefix.length)),
    ),
  );
  const named = medium === 'HugePages' ? undefined : medium.slice('HugePages-'.length);
  if (named === undefined && sizes.size > 1) {
    throw new VolumeError('medium HugePages needs a size: the pod asks for several');
  }
  const [size = ''] = named === undefined ? sizes : [named];
  if (!sizes.has(size)) {
    throw new VolumeError(
      `medium ${medium} needs containers that request ${hugePagePrefix}${named ?? '<size>'}`,
    );
  }
  return quantityValue(parseQuantity(size));
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
