import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Image, ImageService } from '../cri/mod.ts';
import type { FilesystemState } from '../machine-info.ts';

/** Removes images nobody uses when their filesystem fills up. */
export interface ImageGc {
  /** One pass. Throws a plain Error with upstream's text when too little could be freed. */
  collect(fs: FilesystemState): Promise<void>;
  /** Removes every unused image, whatever the disk says; for nodes under disk pressure. */
  collectAll(): Promise<void>;
}

export function createImageGc(options: {
  images: ImageService;
  clock: Clock;
  log: Logger;
  highPercent: number;
  lowPercent: number;
  minimumAgeMs: number;
  /** Ids and names of images that containers have. */
  inUse: () => ReadonlySet<string>;
}): ImageGc {
  const { images, clock, log, highPercent, lowPercent, minimumAgeMs, inUse } = options;
  const firstSeenMs = new Map<string, number>();
  const lastUsedMs = new Map<string, number>();

  const observe = async (): Promise<Image[]> => {
    const now = clock.now();
    const present = await images.listImages();
    const used = inUse();
    for (const { id, repoTags, repoDigests } of present) {
      if (!firstSeenMs.has(id)) firstSeenMs.set(id, now);
      const isUsed = [id, ...repoTags, ...repoDigests].some((name) => used.has(name));
      if (isUsed) lastUsedMs.set(id, now);
    }
    const ids = new Set(present.map(({ id }) => id));
    for (const id of firstSeenMs.keys()) {
      if (ids.has(id)) continue;
      firstSeenMs.delete(id);
      lastUsedMs.delete(id);
    }
    return present;
  };

  /** Oldest use first; pinned, used and young ones are kept. */
  const candidates = (present: readonly Image[], startMs: number): Image[] =>
    present
      .filter(({ id, pinned }) => !pinned && (lastUsedMs.get(id) ?? 0) < startMs)
      .filter(({ id }) => startMs - (firstSeenMs.get(id) ?? startMs) >= minimumAgeMs)
      .sort((a, b) => (lastUsedMs.get(a.id) ?? 0) - (lastUsedMs.get(b.id) ?? 0));

  const free = async (bytes: number): Promise<number> => {
    const startMs = clock.now();
    let freed = 0;
    for (const image of candidates(await observe(), startMs)) {
      if (freed >= bytes) break;
      try {
        await images.removeImage({ image: image.id });
        freed += image.size;
        log.info('removed an unused image', { image: image.repoTags[0] ?? image.id });
      } catch (error) {
        log.warning('cannot remove an image', { image: image.id, error: messageOf(error) });
      }
    }
    return freed;
  };

  return {
    async collect({ capacityBytes, availableBytes }) {
      if (capacityBytes === 0) throw new Error('invalid capacity 0 on image filesystem');
      const usedPercent = 100 - Math.floor((availableBytes * 100) / capacityBytes);
      if (usedPercent < highPercent) {
        await observe();
        return;
      }
      const wanted = Math.floor((capacityBytes * (100 - lowPercent)) / 100) - availableBytes;
      const freed = await free(wanted);
      if (freed >= wanted) return;
      throw new Error(
        `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`,
      );
    },
    async collectAll() {
      await free(Infinity);
    },
  };
}
