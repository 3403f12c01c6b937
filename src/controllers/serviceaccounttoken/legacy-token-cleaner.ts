import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { ConfigMap, Pod, Secret, ServiceAccount } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { accountNameOf, invalidSinceLabel, lastUsedLabel, tokenType } from './token-secret.ts';

const dayMs = 24 * 3_600_000;
const yearMs = 365 * dayMs;
const trackingName = 'kube-apiserver-legacy-service-account-token-tracking';

/** A date label in milliseconds; undefined when there is none that can be read. */
function dateOf(secret: Secret, label: string): number | undefined {
  const text = secret.metadata.labels?.[label] ?? '';
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** What is to happen to a token that was made for an account without anybody asking; pure. */
export function verdictOf(
  secret: Secret,
  times: { nowMs: number; trackedSinceMs: number; unusedMs?: number | undefined },
): 'keep' | 'invalidate' | 'delete' {
  const { nowMs, trackedSinceMs, unusedMs = yearMs } = times;
  const madeMs = Date.parse(secret.metadata.creationTimestamp ?? '');
  const usedMs = dateOf(secret, lastUsedLabel) ?? Math.max(trackedSinceMs, madeMs);
  if (nowMs - usedMs < unusedMs) return 'keep';
  const invalidMs = dateOf(secret, invalidSinceLabel);
  if (invalidMs === undefined) return 'invalidate';
  return nowMs - invalidMs < unusedMs ? 'keep' : 'delete';
}

/**
 * Each day marks tokens that nobody has used for a year as invalid, and removes them a year later
 * (or as long as the options say).
 * Looks only at those that an account lists: those that somebody asked for stay.
 */
export const startLegacyTokenCleaner: StartController = async (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const accounts = informers.informer<ServiceAccount>(resources.serviceAccounts);
  const pods = informers.informer<Pod>(resources.pods);
  const fieldSelector = `type=${tokenType}`;
  const secrets = informers.informer<Secret>(resources.secrets, { fieldSelector });

  const trackedSince = async (): Promise<number | undefined> => {
    try {
      const namespace = 'kube-system';
      const map = await client.get<ConfigMap>(resources.configMaps, trackingName, { namespace });
      const atMs = Date.parse(`${map.data?.['since'] ?? ''}T00:00:00Z`);
      return Number.isNaN(atMs) ? undefined : atMs;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  };
  const isCandidate = (secret: Secret): boolean => {
    const { namespace = '', name } = secret.metadata;
    const account = accounts.get(`${namespace}/${accountNameOf(secret)}`);
    if (account?.secrets?.some((reference) => reference.name === name) !== true) return false;
    return !pods
      .listNamespace(namespace)
      .some((pod) => pod.spec?.volumes?.some((volume) => volume.secret?.secretName === name));
  };
  const clean = async (trackedSinceMs: number): Promise<void> => {
    const nowMs = clock.now();
    const unusedMs = options.legacyTokenUnusedMs;
    for (const secret of secrets.list().filter(isCandidate)) {
      const { name, namespace, uid, resourceVersion } = secret.metadata;
      const verdict = verdictOf(secret, { nowMs, trackedSinceMs, unusedMs });
      if (verdict === 'invalidate') {
        const labels = { [invalidSinceLabel]: new Date(nowMs).toISOString().slice(0, 10) };
        const body = { metadata: { uid, resourceVersion, labels } };
        await client.patch(resources.secrets, name, { type: 'merge', body }, { namespace });
      } else if (verdict === 'delete') {
        const preconditions = { uid, resourceVersion };
        await client.delete(resources.secrets, name, { namespace, preconditions });
      }
    }
  };

  await Promise.all([accounts, pods, secrets].map((informer) => informer.synced(signal))).catch(
    () => undefined,
  );
  while (!signal.aborted) {
    try {
      const trackedSinceMs = await trackedSince();
      if (trackedSinceMs !== undefined) await clean(trackedSinceMs);
    } catch (error) {
      log.warning('cannot clean legacy tokens', { error: messageOf(error) });
    }
    await clock.sleep(dayMs, signal).catch(() => undefined);
  }
};
