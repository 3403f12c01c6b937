import type { Secret } from '#schema/types.ts';

export const tokenType = 'kubernetes.io/service-account-token';
export const accountNameAnnotation = 'kubernetes.io/service-account.name';
export const accountUidAnnotation = 'kubernetes.io/service-account.uid';
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

/** The account that a Secret wants a token of. */
export function accountNameOf(secret: Secret): string {
  return secret.metadata.annotations?.[accountNameAnnotation] ?? '';
}

/** What a token in a Secret says; it has no end of its own. */
export function tokenClaims(
  secret: Secret,
  account: { name: string; uid: string },
): Record<string, string> {
  const { namespace = '', name } = secret.metadata;
  const prefix = 'kubernetes.io/serviceaccount';
  return {
    iss: 'kubernetes/serviceaccount',
    [`${prefix}/namespace`]: namespace,
    [`${prefix}/secret.name`]: name,
    [`${prefix}/service-account.name`]: account.name,
    [`${prefix}/service-account.uid`]: account.uid,
    sub: `system:serviceaccount:${namespace}:${account.name}`,
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
