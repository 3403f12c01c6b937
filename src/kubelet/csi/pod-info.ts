import type { CSIDriver, Pod } from '#schema/types.ts';
import { namespaceOf, specOf, uidOf } from '../pods/names.ts';
import type { TokenSource } from '../volumes/tokens.ts';

const prefix = 'csi.storage.k8s.io';
const tokensKey = `${prefix}/serviceAccount.tokens`;

/** What a driver that asks for it gets to know of the pod. */
export function podInfo(
  pod: Pod,
  { spec }: CSIDriver,
  isInline: boolean,
): Readonly<Record<string, string>> {
  if (spec.podInfoOnMount !== true) return {};
  return {
    [`${prefix}/pod.name`]: pod.metadata.name,
    [`${prefix}/pod.namespace`]: namespaceOf(pod),
    [`${prefix}/pod.uid`]: uidOf(pod),
    [`${prefix}/serviceAccount.name`]: specOf(pod).serviceAccountName ?? '',
    [`${prefix}/ephemeral`]: String(isInline),
  };
}

/** Tokens of the pod's service account for the audiences that the driver asks for. */
export async function podTokens(
  pod: Pod,
  { spec }: CSIDriver,
  tokens: TokenSource,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const requests = spec.tokenRequests ?? [];
  if (requests.length === 0) return {};
  const answers: Record<string, { token: string; expirationTimestamp: string }> = {};
  for (const { audience, expirationSeconds } of requests) {
    answers[audience] = await tokens.tokenWithEnd(pod, { audience, expirationSeconds }, signal);
  }
  return { [tokensKey]: JSON.stringify(answers) };
}
