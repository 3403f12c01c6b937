import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { Client } from './client.ts';
import type { Informer } from './informer-types.ts';
import { createInformer } from './informer.ts';
import type { StartableInformer } from './informer.ts';
import type { Selection } from './reflector.ts';

/** Hands out one informer per resource and selection, shared by everyone who asks. */
export interface InformerFactory {
  /** Asked for after start, it starts by itself once the caller's turn is over. */
  informer<T extends KubeObject>(resource: GroupVersionResource, options?: Selection): Informer<T>;
  /** Starts every informer asked for so far. */
  start(): void;
  /** Resolves when every informer asked for so far has its first complete list. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Resolves when the signal was aborted and no informer runs any more. */
  done(): Promise<void>;
}

export function createInformerFactory(options: {
  client: Client;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  /** Applied to every object before it is kept; must not change its input. */
  transform?: ((object: KubeObject) => KubeObject) | undefined;
}): InformerFactory {
  const informers = new Map<string, StartableInformer<KubeObject>>();
  let isStarted = false;

  return {
    informer<T extends KubeObject>(resource: GroupVersionResource, selection: Selection = {}) {
      const { group, version, resource: name } = resource;
      const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
      const id = JSON.stringify([group, version, name, namespace, labelSelector, fieldSelector]);
      let informer = informers.get(id);
      if (informer === undefined) {
        const created = createInformer<KubeObject>({ ...options, resource, options: selection });
        informers.set(id, created);
        informer = created;
        if (isStarted) queueMicrotask(() => created.start());
      }
      return informer as unknown as Informer<T>;
    },
    start() {
      isStarted = true;
      for (const informer of informers.values()) informer.start();
    },
    async synced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.synced(signal)));
    },
    async done() {
      await Promise.all([...informers.values()].map((informer) => informer.done));
    },
  };
}
