import { K3tsError, messageOf } from '#base/errors.ts';
import type { AuthConfig, CriClient, Image } from '#kubelet/cri/mod.ts';
import { booleanFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';

interface ImageCall {
  readonly cri: CriClient;
  readonly values: FlagValues;
  readonly args: readonly string[];
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** `crictl pull`: also an image that is here, whose tag may have moved. */
export async function pullImage({ cri, values, args, stdout }: ImageCall): Promise<number> {
  const [image, ...more] = args;
  if (image === undefined || more.length > 0) {
    throw new K3tsError('Usage', 'usage: k3ts crictl pull [--creds USERNAME:PASSWORD] IMAGE');
  }
  const auth = readCredentials(stringFlag(values, 'creds'));
  const reference = await cri.images.pullImage({ image }, auth === undefined ? {} : { auth });
  stdout(`Image is up to date for ${reference}\n`);
  return 0;
}

function readCredentials(text: string | undefined): AuthConfig | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(':');
  if (colon < 0) return { username: text };
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `crictl rmi`: images by ID, the begin of one, or name; goes on after one that fails. */
export async function removeImages(call: ImageCall): Promise<number> {
  const { cri, values, args, stdout, stderr } = call;
  const isAll = booleanFlag(values, 'all');
  const isUnused = booleanFlag(values, 'prune');
  if (!isAll && !isUnused && args.length === 0) {
    throw new K3tsError('Usage', 'usage: k3ts crictl rmi --all | --prune | IMAGE...');
  }
  const known = await cri.images.listImages();
  let failures = 0;
  const images: Image[] = isAll || isUnused ? [...known] : [];
  for (const wanted of args) {
    const found = await findImage(cri, known, wanted);
    if (found !== undefined) images.push(found);
    else {
      stderr(`k3ts: no image with ID or name "${wanted}"\n`);
      failures++;
    }
  }
  const used = isUnused ? await usedImages(cri) : new Set<string>();
  for (const image of images) {
    if (image.pinned || used.has(image.id)) continue;
    try {
      await cri.images.removeImage({ image: image.id });
      const names = image.repoTags.length > 0 ? image.repoTags : [image.id];
      for (const name of names) stdout(`Deleted: ${name}\n`);
    } catch (error) {
      stderr(`k3ts: cannot remove image ${image.id}: ${messageOf(error)}\n`);
      failures++;
    }
  }
  return failures === 0 ? 0 : 1;
}

/** The runtime knows short names; beginnings of IDs are ours to find. */
async function findImage(
  cri: CriClient,
  known: readonly Image[],
  wanted: string,
): Promise<Image | undefined> {
  const found = await cri.images.imageStatus({ image: wanted });
  if (found !== undefined) return found;
  const fits = known.filter(({ id }) => id.replace(/^sha256:/, '').startsWith(wanted));
  if (fits.length > 1) {
    throw new K3tsError('Usage', `"${wanted}" fits ${fits.length} images: give more of the ID`);
  }
  return fits[0];
}

/** IDs of images that a container was made from, whatever the container does. */
async function usedImages(cri: CriClient): Promise<Set<string>> {
  const containers = await cri.runtime.listContainers();
  const references = [
    ...containers.flatMap(({ image, imageRef }) => [imageRef, image?.image ?? '']),
    await sandboxImage(cri),
  ];
  const used = new Set<string>();
  for (const reference of new Set(references)) {
    if (reference === '') continue;
    const found = await cri.images.imageStatus({ image: reference });
    used.add(found?.id ?? reference);
  }
  return used;
}

/** The image of the pods' own process: none of the containers, and containerd 1.x pins nothing. */
async function sandboxImage(cri: CriClient): Promise<string> {
  const { info } = await cri.runtime.status({ isVerbose: true });
  try {
    const config = JSON.parse(info['config'] ?? '{}') as { sandboxImage?: unknown };
    return typeof config.sandboxImage === 'string' ? config.sandboxImage : '';
  } catch {
    // Another runtime, which words its configuration in another way.
    return '';
  }
}
