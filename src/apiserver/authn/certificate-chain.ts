import { X509Certificate } from 'node:crypto';

/** Longest chain that is followed from a client certificate to an authority. */
const maxDepth = 5;
const anyUsage = '2.5.29.37.0';
const clientAuthUsage = '1.3.6.1.5.5.7.3.2';

/** What a verified chain says about its leaf. */
export interface VerifiedChain {
  readonly leaf: X509Certificate;
  /** The chain is good until the first of its certificates ends. */
  readonly notAfterMs: number;
}

/** The certificates of a PEM bundle, in order. */
export function parseBundle(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Splits concatenated DER certificates (leaf first, as TLS sends them). */
export function splitDer(der: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let offset = 0;
  while (offset < der.length && parts.length <= maxDepth) {
    const first = der[offset + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (der[offset] !== 0x30 || lengthBytes > 4 || offset + 2 + lengthBytes > der.length) break;
    const length = lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes);
    const end = offset + 2 + lengthBytes + length;
    parts.push(der.subarray(offset, end));
    offset = end;
  }
  return parts;
}

/**
 * Follows a client certificate to one of `authorities`: signatures, validity, CA flags and the
 * client-auth purpose, as Go's verifier does with KeyUsages clientAuth. The authorities are trusted
 * as they are, self-signed or not. Throws an Error that says what is wrong.
 */
export function verifyClientChain(
  der: Buffer,
  authorities: readonly X509Certificate[],
  nowMs: number,
): VerifiedChain {
  const sent = splitDer(der).map((part) => new X509Certificate(part));
  const leaf = sent[0];
  if (leaf === undefined) throw new Error('certificate cannot be decoded');
  checkValid(leaf, nowMs);
  const chain = findIssuers([leaf], sent.slice(1), authorities, nowMs);
  if (chain === undefined) throw new Error('x509: certificate signed by unknown authority');
  return { leaf, notAfterMs: Math.min(...chain.map((part) => Date.parse(part.validTo))) };
}

function findIssuers(
  chain: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): X509Certificate[] | undefined {
  const last = chain[chain.length - 1] as X509Certificate;
  for (const authority of authorities) {
    if (last.fingerprint256 === authority.fingerprint256) return [...chain];
    if (isIssuedBy(last, authority, nowMs)) return [...chain, authority];
  }
  if (chain.length >= maxDepth) return undefined;
  for (const candidate of intermediates) {
    if (chain.includes(candidate) || !isIssuedBy(last, candidate, nowMs)) continue;
    const found = findIssuers([...chain, candidate], intermediates, authorities, nowMs);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isIssuedBy(child: X509Certificate, issuer: X509Certificate, nowMs: number): boolean {
  return (
    issuer.ca &&
    Date.parse(issuer.validFrom) <= nowMs &&
    nowMs <= Date.parse(issuer.validTo) &&
    allowsClientAuth(issuer) &&
    child.checkIssued(issuer) &&
    child.verify(issuer.publicKey)
  );
}

function checkValid(leaf: X509Certificate, nowMs: number): void {
  if (nowMs < Date.parse(leaf.validFrom) || nowMs > Date.parse(leaf.validTo)) {
    throw new Error('x509: certificate has expired or is not yet valid');
  }
  if (!allowsClientAuth(leaf)) {
    throw new Error('x509: certificate specifies an incompatible key usage');
  }
}

/** A certificate without the extension is good for every purpose. */
function allowsClientAuth(certificate: X509Certificate): boolean {
  const usages = certificate.keyUsage as string[] | undefined;
  if (usages === undefined || usages.length === 0) return true;
  return usages.includes(clientAuthUsage) || usages.includes(anyUsage);
}
