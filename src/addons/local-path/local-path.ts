import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createEventRecorder, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Client, InformerFactory } from '#client/mod.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '#schema/types.ts';
import type { NodeDirectories } from './node-directories.ts';
import { ensureObjects, provisionerName, removeObjects } from './objects.ts';
import { classToProvision, provision } from './provision.ts';
import { isToReclaim, reclaim } from './reclaim.ts';

export interface LocalPathOptions {
  client: Client;
  /** Started by the caller. */
  informers: InformerFactory;
  /** Directory of the volumes on nodes that `local-path-config` does not name. */
  storagePath: string;
  directories: NodeDirectories;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}

const retryMs = 2_000;
/** A node that is away is not asked too often, nor for too long after it is back. */
const rateLimits = { firstMs: 1_000, maxMs: 60_000 };

/**
 * The provisioner `rancher.io/local-path`: a directory on the node for each claim of its classes,
 * removed with the volume. Resolves when the signal was aborted and nothing runs any more.
 */
export async function startLocalPath(options: LocalPathOptions): Promise<void> {
  const { client, informers, clock, log, signal } = options;
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const classes = informers.informer<StorageClass>(resources.storageClasses);
  const nodes = informers.informer<Node>(resources.nodes);
  const events = createEventRecorder({ ...options, component: provisionerName });
  const all = [claims, volumes, classes, nodes];
  const ready = Promise.all(all.map((informer) => informer.synced(signal)));
  const context = { ...options, classes, nodes, events };
  const toMake = startControllerLoop({
    name: 'local-path-claims',
    clock,
    log,
    signal,
    workers: 4,
    rateLimits,
    ready,
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined) return;
      const storageClass = classToProvision(claim, classes);
      if (storageClass !== undefined) await provision(context, claim, storageClass);
    },
  });
  const toRemove = startControllerLoop({
    name: 'local-path-volumes',
    clock,
    log,
    signal,
    workers: 4,
    rateLimits,
    ready,
    async reconcile(name) {
      const volume = volumes.get(name);
      if (volume !== undefined && isToReclaim(volume)) await reclaim(context, volume);
    },
  });
  const look = (claim: PersistentVolumeClaim): void => toMake.queue.add(objectKey(claim));
  claims.addHandler({ onAdd: look, onUpdate: (_old, claim) => look(claim) });
  const lookAtVolume = ({ metadata }: PersistentVolume): void => toRemove.queue.add(metadata.name);
  volumes.addHandler({ onAdd: lookAtVolume, onUpdate: (_old, volume) => lookAtVolume(volume) });
  await withRetries(() => ensureObjects(client, options.storagePath), options);
  await Promise.all([toMake.done, toRemove.done]);
}

/** For `--disable local-storage`: takes StorageClass and ConfigMap away; volumes stay. */
export async function removeLocalPath(
  options: Pick<LocalPathOptions, 'client' | 'clock' | 'log' | 'signal'>,
): Promise<void> {
  await withRetries(() => removeObjects(options.client), options);
}

async function withRetries(
  work: () => Promise<void>,
  { clock, log, signal }: Pick<LocalPathOptions, 'clock' | 'log' | 'signal'>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
      return;
    } catch (error) {
      if (signal.aborted) return;
      log.warning('Cannot write the objects of local storage; trying again', {
        error: messageOf(error),
      });
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}
