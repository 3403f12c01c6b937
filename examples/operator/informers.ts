import { setTimeout as sleep } from 'node:timers/promises';
import type { Informer, KubernetesObject } from '@kubernetes/client-node';

/**
 * Keeps an informer watching until the signal: client-node's ends with an `error` when the server is
 * away or lets the watch go, and has to be started again.
 */
export async function keepInformed<T extends KubernetesObject>(
  informer: Informer<T>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const ended = Promise.withResolvers<void>();
    const end = (): void => ended.resolve();
    informer.on('error', end);
    signal.addEventListener('abort', end, { once: true });
    await informer.start().catch(end);
    await ended.promise;
    informer.off('error', end);
    signal.removeEventListener('abort', end);
    await informer.stop();
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
}
