import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasCode } from '#base/errors.ts';
import { namesIn } from '#host/files.ts';
import type { Pod } from '#schema/types.ts';
import type { HostPaths } from '../kubelet-config.ts';
import { namespaceOf, podLogDirectory } from '../pods/names.ts';

/** `<pod>_<namespace>_<container>-<id>.log`, by which log collectors find containers. */
export function linkName(pod: Pod, container: string, id: string): string {
  const name = `${pod.metadata.name}_${namespaceOf(pod)}_${container}`;
  return `${name}-${id}`.slice(0, 251) + '.log';
}

/** The link in /var/log/containers to a container's log. */
export async function linkContainerLog(options: {
  pod: Pod;
  name: string;
  id: string;
  attempt: number;
  paths: HostPaths;
}): Promise<void> {
  const { pod, name, id, attempt, paths } = options;
  if (paths.containerLogs === '') return;
  const target = join(podLogDirectory(paths.podLogs, pod), name, `${attempt}.log`);
  const link = join(paths.containerLogs, linkName(pod, name, id));
  try {
    await symlink(target, link);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    if (!hasCode(error, 'ENOENT')) throw error;
    await mkdir(paths.containerLogs, { recursive: true });
    await symlink(target, link);
  }
}

/** Removes the logs of a pod that is gone, and the links to them. */
export async function removePodLogs(pod: Pod, paths: HostPaths): Promise<void> {
  const directory = podLogDirectory(paths.podLogs, pod);
  await rm(directory, { recursive: true, force: true });
  const prefix = `${pod.metadata.name}_${namespaceOf(pod)}_`;
  // A pod of the same name may have come already; its links stay.
  await removeLinks(paths, prefix, (target) => target.startsWith(`${directory}/`));
}

/**
 * Removes the logs of pods that ended while no kubelet ran, and the links to them: directories
 * whose uid, the last part of their names, is not known. A kubelet may also have been killed
 * between the two, so links count by themselves. Answers which directories were removed.
 */
export async function removeUnknownLogs(
  paths: HostPaths,
  isKnown: (uid: string) => boolean,
): Promise<string[]> {
  const isUnknown = (name: string): boolean => !isKnown(name.slice(name.lastIndexOf('_') + 1));
  const unknown = (await namesIn(paths.podLogs)).filter(isUnknown);
  for (const name of unknown) await rm(join(paths.podLogs, name), { recursive: true, force: true });
  await removeLinks(paths, '', (target) => {
    const [name = '', ...inside] = relative(paths.podLogs, target).split('/');
    return name !== '..' && inside.length > 0 && isUnknown(name);
  });
  return unknown;
}

async function removeLinks(
  { containerLogs }: HostPaths,
  prefix: string,
  isGone: (target: string) => boolean,
): Promise<void> {
  if (containerLogs === '') return;
  const names = (await namesIn(containerLogs)).filter((name) => name.startsWith(prefix));
  await Promise.all(
    names.map(async (name) => {
      const path = join(containerLogs, name);
      // Somebody else may have removed it, and what is no link is not ours.
      const target = await readlink(path).catch(() => undefined);
      if (target !== undefined && isGone(target)) await rm(path, { force: true });
    }),
  );
}
