import { X509Certificate } from 'node:crypto';

const dayMs = 24 * 3600 * 1000;

/** What renewal looks at in a leaf certificate. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly notAfterMs: number;
}

/** Reads the first certificate of a PEM file. */
export function inspectCertificate(certificatePem: string): CertificateFacts {
  const certificate = new X509Certificate(certificatePem);
  const subject = certificate.subject.split('\n');
  const valuesOf = (attribute: string): string[] =>
    subject
      .filter((line) => line.startsWith(`${attribute}=`))
      .map((line) => line.slice(attribute.length + 1));
  const names = (certificate.subjectAltName ?? '').split(', ');
  const namesOf = (kind: string): string[] =>
    names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  return {
    commonName: valuesOf('CN')[0] ?? '',
    organizations: valuesOf('O'),
    dnsNames: namesOf('DNS:'),
    ipAddresses: namesOf('IP Address:'),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** What a check of certificates shows of each one in a file. */
export interface ChainFacts {
  readonly commonName: string;
  readonly issuerCommonName: string;
  /** `CertSign`, `ServerAuth`, `ClientAuth`, or `Unknown`, as k3s names them. */
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const authUsages: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'ServerAuth',
  '1.3.6.1.5.5.7.3.2': 'ClientAuth',
};

/** All certificates of a PEM file, in its order; throws when one cannot be read. */
export function inspectCertificates(pem: string): ChainFacts[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    const certificate = new X509Certificate(block);
    const commonNameOf = (name: string): string => /^CN=(.*)$/m.exec(name)?.[1] ?? '';
    // The type leaves out that there may be none.
    const extended = (certificate.keyUsage as readonly string[] | undefined) ?? [];
    const usages = [
      ...(certificate.ca ? ['CertSign'] : []),
      ...extended.flatMap((usage) => authUsages[usage] ?? []),
    ];
    return {
      commonName: commonNameOf(certificate.subject),
      issuerCommonName: commonNameOf(certificate.issuer),
      usages: usages.length === 0 ? ['Unknown'] : usages,
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
    };
  });
}

/**
 * Why a leaf must be issued again, or undefined when it may stay: it ends within 120 days, was
 * signed by another authority, or lacks a name. The rules are k3s' own at start.
 */
export function renewalReason(
  certificatePem: string,
  wanted: {
    authorityPem: string;
    commonName: string;
    organizations: readonly string[];
    dnsNames: readonly string[];
    ipAddresses: readonly string[];
    nowMs: number;
  },
): string | undefined {
  const facts = inspectCertificate(certificatePem);
  const authority = new X509Certificate(wanted.authorityPem);
  if (!new X509Certificate(certificatePem).verify(authority.publicKey)) return 'authority changed';
  if (facts.notAfterMs - wanted.nowMs < 120 * dayMs) return 'ends within 120 days';
  if (facts.commonName !== wanted.commonName) return 'common name changed';
  if (facts.organizations.join() !== wanted.organizations.join()) return 'organization changed';
  const dnsNames = new Set(facts.dnsNames);
  if (wanted.dnsNames.some((name) => !dnsNames.has(name))) return 'host name missing';
  const addresses = new Set(facts.ipAddresses.map(expandAddress));
  if (wanted.ipAddresses.some((address) => !addresses.has(expandAddress(address)))) {
    return 'address missing';
  }
  return undefined;
}

/** One spelling for an address: certificates print IPv6 without the short form. */
function expandAddress(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((part) => Number.parseInt(part, 16)).join(':');
}
