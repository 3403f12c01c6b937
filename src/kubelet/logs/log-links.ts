import { mkdir, readdir, rm, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
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
  await rm(podLogDirectory(paths.podLogs, pod), { recursive: true, force: true });
  if (paths.containerLogs === '') return;
  const prefix = `${pod.metadata.name}_${namespaceOf(pod)}_`;
  const names = await readdir(paths.containerLogs).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  await Promise.all(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => unlink(join(paths.containerLogs, name)).catch(() => undefined)),
  );
}
