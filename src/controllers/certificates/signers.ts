import type { RequestFacts } from '#pki/mod.ts';
import type { SignerAuthorities } from '../context.ts';

const keyUse = ['key encipherment', 'digital signature'];
const clientUsages = [...keyUse, 'client auth'];
const serverUsages = [...keyUse, 'server auth'];
const nodePrefix = 'system:node:';

export interface Signer {
  readonly authority: keyof SignerAuthorities;
  /** Why a request may not be signed; undefined when it may. */
  refusal(facts: RequestFacts, usages: readonly string[]): string | undefined;
}

/** The built-in signers by name, with what each allows. */
export const signers: Readonly<Record<string, Signer>> = {
  'kubernetes.io/kube-apiserver-client': {
    authority: 'client',
    refusal: (_facts, usages) => usagesRefusal(usages, clientUsages, ['client auth']),
  },
  'kubernetes.io/kube-apiserver-client-kubelet': {
    authority: 'client',
    refusal: (facts, usages) => kubeletClientRefusal(facts, usages),
  },
  'kubernetes.io/kubelet-serving': {
    authority: 'server',
    refusal: (facts, usages) => kubeletServingRefusal(facts, usages),
  },
  'kubernetes.io/legacy-unknown': { authority: 'server', refusal: () => undefined },
};

function usagesRefusal(
  usages: readonly string[],
  allowed: readonly string[],
  needed: readonly string[],
): string | undefined {
  const isAllowed = usages.every((usage) => allowed.includes(usage));
  const hasNeeded = needed.every((usage) => usages.includes(usage));
  if (isAllowed && hasNeeded) return undefined;
  return `usages did not match ${JSON.stringify(allowed)}`;
}

function nodeRefusal({ commonName, organizations }: RequestFacts): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') {
    return 'subject organization is not system:nodes';
  }
  return commonName.startsWith(nodePrefix)
    ? undefined
    : `subject common name does not begin with ${nodePrefix}`;
}

/** What a kubelet may ask for to show who it is. */
export function kubeletClientRefusal(
  facts: RequestFacts,
  usages: readonly string[],
): string | undefined {
  if (facts.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (facts.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return (
    nodeRefusal(facts) ?? usagesRefusal(usages, clientUsages, ['client auth', 'digital signature'])
  );
}

function kubeletServingRefusal(facts: RequestFacts, usages: readonly string[]): string | undefined {
  if (facts.dnsNames.length + facts.ipAddresses.length === 0) {
    return 'DNS or IP subjectAltName is required';
  }
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return (
    nodeRefusal(facts) ?? usagesRefusal(usages, serverUsages, ['server auth', 'digital signature'])
  );
}
