import { join } from 'node:path';
import { messageOf } from '#base/errors.ts';
import { pathKind } from '#host/files.ts';
import type { Pod, Volume } from '#schema/types.ts';
import type { PodSandboxConfig } from '../cri/mod.ts';
import type { MountedVolume, MountedVolumes } from '../volume-host.ts';
import { specOf, uidOf } from './names.ts';
import type { PodContainer } from './names.ts';
import type { PodContext } from './pod-context.ts';
import { ContainerStartError } from './start-error.ts';

type Context = Pick<PodContext, 'puller' | 'volumes' | 'events'>;

interface Request {
  readonly pod: Pod;
  readonly of: PodContainer;
  readonly mounted: MountedVolumes;
  readonly sandboxConfig: PodSandboxConfig;
  readonly signal: AbortSignal;
}

/**
 * The pod's volumes with those from images that the container mounts. Their images are pulled when
 * the first container needs them, and stay what they were then while the pod lives. A container
 * whose volume cannot be had waits with the reasons and texts of its own image's pull.
 */
export async function withImageVolumes(
  request: Request,
  context: Context,
): Promise<MountedVolumes> {
  const { pod, of, mounted } = request;
  const used = new Set((of.container.volumeMounts ?? []).map(({ name }) => name));
  const wanted = (specOf(pod).volumes ?? []).filter(
    ({ name, image }) => image !== undefined && used.has(name),
  );
  if (wanted.length === 0) return mounted;
  const all = new Map(mounted);
  for (const volume of wanted) {
    const mountedVolume = await imageVolume(volume, request, context);
    all.set(volume.name, mountedVolume);
    await checkSubPaths(volume, mountedVolume, request, context);
  }
  return all;
}

/** What is not in an image cannot be made there. */
async function checkSubPaths(
  { name }: Volume,
  { hostPath }: MountedVolume,
  request: Request,
  context: Context,
): Promise<void> {
  for (const mount of request.of.container.volumeMounts ?? []) {
    const { subPath = '' } = mount;
    if (mount.name !== name || subPath === '') continue;
    if ((await pathKind(join(hostPath, subPath))) !== undefined) continue;
    throw mountFailure(`subPath "${subPath}" is not in image volume "${name}"`, request, context);
  }
}

/** As runtimes that mount images themselves answer CreateContainer. */
function mountFailure(
  why: string,
  { pod, of }: Request,
  { events }: Context,
  cause?: unknown,
): ContainerStartError {
  const text = `ImageVolumeMountFailed: ${why}`;
  events.container(pod, of, 'Warning', 'Failed', `Error: ${text}`);
  return new ContainerStartError('CreateContainerError', text, { cause });
}

async function imageVolume(
  { name, image }: Volume,
  request: Request,
  context: Context,
): Promise<MountedVolume> {
  const { pod, sandboxConfig, signal } = request;
  const { puller, volumes } = context;
  const present = await volumes.mountedImage(uidOf(pod), name);
  if (present !== undefined) return present;
  const { reference = '', pullPolicy } = image ?? {};
  const ready = await puller.ensure({
    pod,
    of: undefined,
    image: reference,
    pullPolicy,
    sandboxConfig,
    signal,
  });
  try {
    return await volumes.mountImage({ podUid: uidOf(pod), volumeName: name, imageId: ready.ref });
  } catch (error) {
    const why = `failed to mount image volume "${name}": ${messageOf(error)}`;
    throw mountFailure(why, request, context, error);
  }
}
