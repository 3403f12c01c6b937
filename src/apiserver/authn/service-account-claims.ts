import { resources } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { Secret, ServiceAccount } from '#schema/types.ts';

import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { UserInfo } from '../request.ts';
import { invalidSecret } from './legacy-tokens.ts';

/** Bound objects that are on their way out stay good for this long, as upstream. */
const deletionLeewayMs = 60_000;

/** A named object that a token is tied to. */
export interface ClaimReference {
  readonly name: string;
  readonly uid?: string | undefined;
}

/** The private claims under `kubernetes.io`. */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: ClaimReference;
  readonly pod?: ClaimReference | undefined;
  readonly secret?: ClaimReference | undefined;
  readonly node?: ClaimReference | undefined;
  readonly warnafter?: number | undefined;
}

/** Claims of a token, signature already checked. */
export type Claims = Readonly<Record<string, unknown>>;

export const legacyIssuer = 'kubernetes/serviceaccount';

/** User name, groups and uid of a service account. */
export function serviceAccountUser(
  namespace: string,
  name: string,
  uid: string | undefined,
): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

/** Namespace and name of a service account's user name; undefined for other users. */
export function parseServiceAccountUser(
  user: string,
): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return match === null ? undefined : { namespace: match[1] ?? '', name: match[2] ?? '' };
}

/** Why the times in the claims do not hold at `nowMs`; undefined when they do. */
export function timeRefusal(claims: Claims, nowMs: number): string | undefined {
  const nowSeconds = nowMs / 1000;
  const { exp, nbf, iat } = claims;
  if (typeof exp === 'number' && nowSeconds > exp) return 'service account token has expired';
  if (typeof nbf === 'number' && nowSeconds < nbf) return 'service account token is not valid yet';
  if (typeof iat === 'number' && nowSeconds + 60 < iat) {
    return 'service account token is issued in the future';
  }
  return undefined;
}

/**
 * The user of a bound token, or a text that says why it does not count any more: an object that it
 * is tied to is gone, is another one, or is deleted for more than a minute.
 */
export async function userOfClaims(
  reader: ObjectReader,
  claims: Claims,
  nowMs: number,
): Promise<UserInfo | string> {
  const own = claims['kubernetes.io'] as KubernetesClaims | undefined;
  if (own?.serviceaccount?.name === undefined || own.namespace === undefined) {
    return 'service account claims are missing';
  }
  const ends = (object: KubeObject): boolean => {
    const deleted = object.metadata.deletionTimestamp;
    return deleted !== undefined && nowMs > Date.parse(deleted) + deletionLeewayMs;
  };
  const check = async (
    resource: GroupVersionResource,
    namespace: string,
    reference: ClaimReference | undefined,
  ): Promise<KubeObject | undefined | string> => {
    if (reference === undefined) return undefined;
    const object = await getOrRefresh(reader, resource, namespace, reference.name);
    if (object === undefined || ends(object)) {
      return 'service account token has been invalidated';
    }
    if (reference.uid !== undefined && object.metadata.uid !== reference.uid) {
      return `${resource.resource} UID (${object.metadata.uid ?? ''}) does not match claim (${reference.uid})`;
    }
    return object;
  };
  const account = await check(resources.serviceAccounts, own.namespace, own.serviceaccount);
  if (typeof account === 'string') return account;
  for (const [resource, namespace, reference] of [
    [resources.secrets, own.namespace, own.secret],
    [resources.pods, own.namespace, own.pod],
    // A token of a pod keeps its node claim after the node is gone; only node tokens die with it.
    [resources.nodes, '', own.pod === undefined ? own.node : undefined],
  ] as const) {
    const bound = await check(resource, namespace, reference);
    if (typeof bound === 'string') return bound;
  }
  return withExtra(own, claims['jti']);
}

function withExtra(own: KubernetesClaims, tokenId: unknown): UserInfo {
  const user = serviceAccountUser(own.namespace, own.serviceaccount.name, own.serviceaccount.uid);
  const extra: Record<string, string[]> = {};
  const put = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') extra[`authentication.kubernetes.io/${key}`] = [value];
  };
  if (typeof tokenId === 'string') put('credential-id', `JTI=${tokenId}`);
  put('node-name', own.node?.name);
  put('node-uid', own.node?.uid);
  put('pod-name', own.pod?.name);
  put('pod-uid', own.pod?.uid);
  return { ...user, extra };
}

/** The user of a token that a Secret of type kubernetes.io/service-account-token holds. */
export function userOfLegacyClaims(
  reader: ObjectReader,
  claims: Claims,
  token: string,
  noteUse?: (secret: Secret) => void,
): UserInfo | string {
  const text = (key: string): string => {
    const value = claims[`kubernetes.io/serviceaccount/${key}`];
    return typeof value === 'string' ? value : '';
  };
  const namespace = text('namespace');
  const name = text('service-account.name');
  const uid = text('service-account.uid');
  if (namespace === '' || name === '' || uid === '') return 'legacy claims are missing';
  const secret = reader.get<Secret>(resources.secrets, namespace, text('secret.name'));
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) {
    return 'service account token has been invalidated';
  }
  if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8') !== token) {
    return 'service account token does not match its secret';
  }
  const account = reader.get<ServiceAccount>(resources.serviceAccounts, namespace, name);
  if (account === undefined || account.metadata.deletionTimestamp !== undefined) {
    return 'service account is gone';
  }
  if (account.metadata.uid !== uid) return 'service account UID does not match claim';
  const refusal = invalidSecret(secret, name);
  if (refusal !== undefined) return refusal;
  noteUse?.(secret);
  return serviceAccountUser(namespace, name, uid);
}
