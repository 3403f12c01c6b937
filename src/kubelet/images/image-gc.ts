import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Image, ImageService } from '../cri/mod.ts';
import type { FilesystemState } from '../machine-info.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { PullRecords } from './pull-records.ts';

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
  /** Unused for longer than this, an image goes whatever the disk says; 0 or absent: never. */
  maximumAgeMs?: number | undefined;
  /** Ids and names of images that containers or volumes have. */
  inUse: () => ReadonlySet<string> | Promise<ReadonlySet<string>>;
  metrics?: Pick<KubeletMetrics, 'collectedImages'> | undefined;
  /** Hears which images there are. */
  records?: Pick<PullRecords, 'prune'> | undefined;
}): ImageGc {
  const { images, clock, log, highPercent, lowPercent, minimumAgeMs, inUse } = options;
  const { maximumAgeMs = 0 } = options;
  const firstSeenMs = new Map<string, number>();
  const lastUsedMs = new Map<string, number>();

  const observe = async (): Promise<Image[]> => {
    const now = clock.now();
    const present = await images.listImages();
    const used = await inUse();
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
    await options.records?.prune(ids, now);
    return present;
  };

  /** Oldest use first; pinned, used and young ones are kept. */
  const candidates = (present: readonly Image[], startMs: number): Image[] =>
    present
      .filter(({ id, pinned }) => !pinned && (lastUsedMs.get(id) ?? 0) < startMs)
      .filter(({ id }) => startMs - (firstSeenMs.get(id) ?? startMs) >= minimumAgeMs)
      .sort((a, b) => (lastUsedMs.get(a.id) ?? 0) - (lastUsedMs.get(b.id) ?? 0));

  const remove = async (image: Image, reason: 'space' | 'age'): Promise<number> => {
    try {
      await images.removeImage({ image: image.id });
      if (options.metrics !== undefined) options.metrics.collectedImages.with(reason).value += 1;
      log.info('removed an unused image', { image: image.repoTags[0] ?? image.id });
      return image.size;
    } catch (error) {
      log.warning('cannot remove an image', { image: image.id, error: messageOf(error) });
      return 0;
    }
  };
  const free = async (bytes: number): Promise<number> => {
    const startMs = clock.now();
    let freed = 0;
    for (const image of candidates(await observe(), startMs)) {
      if (freed >= bytes) break;
      freed += await remove(image, 'space');
    }
    return freed;
  };
  /** An image that was never used is as old as the kubelet's knowledge of it. */
  const removeOld = async (present: readonly Image[]): Promise<void> => {
    if (maximumAgeMs === 0) return;
    const startMs = clock.now();
    for (const image of candidates(present, startMs)) {
      const usedMs = lastUsedMs.get(image.id) ?? firstSeenMs.get(image.id) ?? startMs;
      if (startMs - usedMs > maximumAgeMs) await remove(image, 'age');
    }
  };

  return {
    async collect({ capacityBytes, availableBytes }) {
      await removeOld(await observe());
      if (capacityBytes === 0) throw new Error('invalid capacity 0 on image filesystem');
      const usedPercent = 100 - Math.floor((availableBytes * 100) / capacityBytes);
      if (usedPercent < highPercent) return;
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
