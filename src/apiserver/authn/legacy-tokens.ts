import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { ConfigMap, Secret } from '#schema/types.ts';

const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';
const trackingMap = 'kube-apiserver-legacy-service-account-token-tracking';

/** Why the token that a Secret holds is no good any more; undefined when it is. */
export function invalidSecret(secret: Secret, account: string): string | undefined {
  const { name, namespace = '', labels } = secret.metadata;
  if ((labels?.[invalidSinceLabel] ?? '') === '') return undefined;
  return `the token in secret ${namespace}/${name} for service account ${namespace}/${account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`;
}

/** Notes the days on which tokens of Secrets are used, for the controller that removes idle ones. */
export interface LegacyTokenUse {
  /** Returns at once; writes at most once a day and Secret, or when a token had been marked. */
  note(secret: Secret): void;
  /** Says in kube-system since when uses are noted. */
  startTracking(): Promise<void>;
}

export function createLegacyTokenUse(options: {
  client: Client;
  clock: Clock;
  log: Logger;
}): LegacyTokenUse {
  const { client, clock, log } = options;
  const writing = new Set<string>();
  const today = (): string => new Date(clock.now()).toISOString().slice(0, 10);
  return {
    note(secret) {
      const { name, namespace, labels } = secret.metadata;
      const day = today();
      const key = `${namespace ?? ''}/${name}`;
      if (labels?.[lastUsedLabel] === day || writing.has(key)) return;
      writing.add(key);
      const body = { metadata: { labels: { [lastUsedLabel]: day } } };
      client
        .patch(resources.secrets, name, { type: 'merge', body }, { namespace })
        .catch((error: unknown) => {
          log.warning('Cannot note the use of a token', { secret: key, error: messageOf(error) });
        })
        .finally(() => writing.delete(key));
    },
    async startTracking() {
      const map: ConfigMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: trackingMap, namespace: 'kube-system' },
        data: { since: today() },
      };
      try {
        await client.create(resources.configMaps, map);
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error;
      }
    },
  };
}
