import { messageOf } from '#base/errors.ts';
import type { Pod, Volume } from '#schema/types.ts';
import type { PodSandboxConfig } from '../cri/mod.ts';
import type { MountedVolume, MountedVolumes } from '../volume-host.ts';
import { specOf, uidOf } from './names.ts';
import type { PodContainer } from './names.ts';
import type { PodContext } from './pod-context.ts';
import { ContainerStartError } from './start-error.ts';

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
  context: Pick<PodContext, 'puller' | 'volumes'>,
): Promise<MountedVolumes> {
  const { pod, of, mounted } = request;
  const used = new Set((of.container.volumeMounts ?? []).map(({ name }) => name));
  const wanted = (specOf(pod).volumes ?? []).filter(
    ({ name, image }) => image !== undefined && used.has(name),
  );
  if (wanted.length === 0) return mounted;
  const all = new Map(mounted);
  for (const volume of wanted) all.set(volume.name, await imageVolume(volume, request, context));
  return all;
}

async function imageVolume(
  { name, image }: Volume,
  { pod, sandboxConfig, signal }: Request,
  { puller, volumes }: Pick<PodContext, 'puller' | 'volumes'>,
): Promise<MountedVolume> {
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
    const text = `failed to mount image volume "${name}": ${messageOf(error)}`;
    throw new ContainerStartError('CreateContainerError', text, { cause: error });
  }
}
