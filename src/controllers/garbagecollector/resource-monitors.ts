import type { Clock, Timer } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { followResource } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';

/** How often it is asked which resources exist, should a change of them have gone unheard. */
const refreshMs = 30_000;
/** Definitions often come in dozens: one look for all of them. */
const settleMs = 100;

/** A resource that is being followed in one of its versions. */
interface Followed {
  readonly version: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Not worth watching: nobody owns them for long. */
const ignored: ReadonlySet<string> = new Set(['events']);

export interface ResourceEvents {
  onList(info: ResourceInfo, items: readonly KubeObject[]): void;
  onChange(info: ResourceInfo, object: KubeObject): void;
  onDelete(info: ResourceInfo, object: KubeObject): void;
}

/**
 * Follows every resource that can be listed, watched and deleted, each stored thing once, without
 * keeping objects. Resolves `synced` when all that existed at the start were listed.
 */
export function followAllResources(options: {
  client: Client;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  resources: () => readonly ResourceInfo[];
  onResourcesChange?: ((listener: () => void) => () => void) | undefined;
  events: ResourceEvents;
}): { synced: Promise<void>; done: Promise<void> } {
  const { clock, signal, resources, events } = options;
  const followed = new Map<string, Followed>();

  const follow = (info: ResourceInfo): Promise<void> => {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    return new Promise((resolve) => {
      either.addEventListener('abort', () => resolve(), { once: true });
      const done = followResource<KubeObject>({
        ...options,
        resource: info,
        signal: either,
        onList(items) {
          events.onList(info, items);
          resolve();
        },
        onEvent({ type, object }) {
          if (type === 'DELETED') events.onDelete(info, object);
          else events.onChange(info, object);
        },
      });
      followed.set(info.storagePrefix, { version: info.version, stop, done });
    });
  };
  const refresh = (): Promise<void>[] => {
    const wanted = new Map<string, ResourceInfo>();
    for (const info of resources()) {
      const canFollow = ['list', 'watch', 'delete'].every((verb) => info.verbs.includes(verb));
      if (!canFollow || ignored.has(info.resource) || wanted.has(info.storagePrefix)) continue;
      wanted.set(info.storagePrefix, info);
    }
    for (const [prefix, { version, stop }] of followed) {
      // a version that is not served any more cannot be followed further
      if (wanted.get(prefix)?.version === version) continue;
      stop.abort();
      followed.delete(prefix);
    }
    return [...wanted].flatMap(([prefix, info]) => (followed.has(prefix) ? [] : [follow(info)]));
  };

  const synced = Promise.all(refresh()).then(() => undefined);
  let settling: Timer | undefined;
  const removeListener = options.onResourcesChange?.(() => {
    settling ??= clock.after(settleMs, () => {
      settling = undefined;
      if (!signal.aborted) void Promise.all(refresh());
    });
  });
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(refreshMs, signal).catch(() => undefined);
      if (!signal.aborted) await Promise.all(refresh());
    }
    removeListener?.();
    settling?.cancel();
    await Promise.all([...followed.values()].map(({ done }) => done));
  };
  return { synced, done: loop() };
}
