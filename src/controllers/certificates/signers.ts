import type { RequestFacts } from '#pki/mod.ts';
import type { SignerAuthorities } from '../context.ts';

const clientAuth = 'client auth';
const serverAuth = 'server auth';
/** Sorted, as texts name them. */
const optionalUsages = ['digital signature', 'key encipherment'];
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
    refusal: (_facts, usages) => clientRefusal(usages),
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

/** What any client may ask for. */
function clientRefusal(usages: readonly string[]): string | undefined {
  const wrong = usages.find((usage) => usage !== clientAuth && !optionalUsages.includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  if (usages.includes(clientAuth)) return undefined;
  return `missing required usage for client certificate: ${clientAuth}`;
}

/** Exactly these usages; keys that are not RSA have no use for encipherment. */
function kubeletUsagesRefusal(usages: readonly string[], auth: string): string | undefined {
  const asked = new Set(usages);
  const isKnown = usages.every((usage) => usage === auth || optionalUsages.includes(usage));
  if (isKnown && asked.has(auth) && asked.has('digital signature')) return undefined;
  return `usages did not match [${[auth, ...optionalUsages].toSorted().join(' ')}]`;
}

function organizationRefusal({ organizations }: RequestFacts): string | undefined {
  const isNodes = organizations.length === 1 && organizations[0] === 'system:nodes';
  return isNodes ? undefined : 'subject organization is not system:nodes';
}

function nameRefusal({ commonName }: RequestFacts): string | undefined {
  return commonName.startsWith(nodePrefix)
    ? undefined
    : `subject common name does not begin with ${nodePrefix}`;
}

/** What a kubelet may ask for to show who it is. */
export function kubeletClientRefusal(
  facts: RequestFacts,
  usages: readonly string[],
): string | undefined {
  const refusal = organizationRefusal(facts);
  if (refusal !== undefined) return refusal;
  if (facts.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (facts.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return nameRefusal(facts) ?? kubeletUsagesRefusal(usages, clientAuth);
}

function kubeletServingRefusal(facts: RequestFacts, usages: readonly string[]): string | undefined {
  const refusal = organizationRefusal(facts);
  if (refusal !== undefined) return refusal;
  if (facts.dnsNames.length + facts.ipAddresses.length === 0) {
    return 'DNS or IP subjectAltName is required';
  }
  if (facts.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (facts.uris.length > 0) return 'URI subjectAltNames are not allowed';
  return kubeletUsagesRefusal(usages, serverAuth) ?? nameRefusal(facts);
}
