import { hasReason } from '#base/api-status-error.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { expirationMs, tokenNamespace, tokenType } from './bootstrap-token.ts';

/** Removes bootstrap tokens whose time has come. */
export const startTokenCleaner: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const secrets = informers.informer<Secret>(resources.secrets, {
    namespace: tokenNamespace,
    fieldSelector: `type=${tokenType}`,
  });
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'token-cleaner-controller',
    clock,
    log,
    signal,
    ready: secrets.synced(signal),
    async reconcile(key) {
      const secret = secrets.get(key);
      const endMs = secret === undefined ? undefined : expirationMs(secret);
      if (secret === undefined || endMs === undefined) return undefined;
      const leftMs = endMs - clock.now();
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      const { name, namespace, uid } = secret.metadata;
      try {
        await client.delete(resources.secrets, name, { namespace, preconditions: { uid } });
      } catch (error) {
        if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
      }
      return undefined;
    },
  });
  const look = (secret: Secret): void => loop.queue.add(objectKey(secret));
  secrets.addHandler({ onAdd: look, onUpdate: (_old, secret) => look(secret) });
  return loop.done;
};
