import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod, ServiceAccount } from '#schema/types.ts';
import { namespaceOf, specOf, uidOf } from '../pods/names.ts';
import { createTokenSource } from '../volumes/tokens.ts';
import type { PullServiceAccount } from './pull-credential.ts';

/** What a provider wants to know of the service account of the pod that an image is for. */
export interface TokenAttributes {
  readonly audience: string;
  /** What an answer is kept for: the account, or the one pod that the token is bound to. */
  readonly cacheType: 'ServiceAccount' | 'Token';
  readonly isRequired: boolean;
  readonly requiredAnnotations: readonly string[];
  readonly optionalAnnotations: readonly string[];
}

export interface ProviderAccount {
  readonly serviceAccount: PullServiceAccount;
  readonly annotations: Readonly<Record<string, string>>;
  /** Answers are kept under this. */
  readonly cacheKey: string;
  /** A token for the provider's audience, bound to the pod; each call asks for a new one. */
  token(): Promise<string>;
}

/**
 * The pod's account as a provider wants it: `none` when the pod has none and need not, undefined
 * when the provider is not to be asked for this pod.
 */
export async function accountFor(
  pod: Pod,
  wanted: TokenAttributes,
  { client, clock, log }: { client: Client; clock: Clock; log: Logger },
): Promise<ProviderAccount | 'none' | undefined> {
  const name = specOf(pod).serviceAccountName ?? '';
  if (name === '') return wanted.isRequired ? undefined : 'none';
  const namespace = namespaceOf(pod);
  const found = await client.get<ServiceAccount>(resources.serviceAccounts, name, { namespace });
  const all = found.metadata.annotations ?? {};
  // Without an annotation that is required the pod has not opted in.
  if (wanted.requiredAnnotations.some((key) => all[key] === undefined)) return undefined;
  const keys = [...wanted.requiredAnnotations, ...wanted.optionalAnnotations].sort();
  const annotations = Object.fromEntries(
    keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])),
  );
  const serviceAccount = { uid: found.metadata.uid ?? '', namespace, name };
  const scope = wanted.cacheType === 'Token' ? uidOf(pod) : '';
  return {
    serviceAccount,
    annotations,
    cacheKey: JSON.stringify([serviceAccount, annotations, scope]),
    async token() {
      const tokens = createTokenSource({ client, clock, log });
      const { signal } = new AbortController();
      const spec = { audience: wanted.audience, expirationSeconds: undefined };
      return await tokens.token(pod, spec, signal);
    },
  };
}
