import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

import { signingKeyOf } from './key.ts';
import { loadX509 } from './x509-library.ts';

const dayMs = 24 * 3600 * 1000;
/** Certificates start this long before now, for clocks that are behind. */
const skewMs = 3600 * 1000;

/** A certificate authority as files hold it. */
export interface Authority {
  /** One certificate, or a chain whose first certificate belongs to the key. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

export type KeyUsagePurpose = 'client' | 'server';

export interface CertificateRequest {
  readonly authority: Authority;
  readonly commonName: string;
  readonly organizations?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
  readonly purposes: readonly KeyUsagePurpose[];
  /** PEM of a private key, or a public key taken from a signing request. */
  readonly key: string | KeyObject;
  readonly nowMs: number;
  readonly days?: number | undefined;
  /** Bytes of the serial number, from the caller's source of chance. */
  readonly serial: Buffer;
}

/** A self-signed authority with a P-256 key, valid for ten years, as k3s makes them. */
export async function createAuthority(options: {
  commonName: string;
  keyPem: string;
  nowMs: number;
  serial: Buffer;
}): Promise<Authority> {
  const x509 = await loadX509();
  const publicKey = publicCryptoKey(createPublicKey(options.keyPem));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [options.commonName] }],
      serialNumber: serialText(options.serial),
      notBefore: new Date(options.nowMs - skewMs),
      notAfter: new Date(options.nowMs + 3650 * dayMs),
      keys: { privateKey: signingKeyOf(options.keyPem), publicKey },
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature |
            x509.KeyUsageFlags.keyEncipherment |
            x509.KeyUsageFlags.keyCertSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ],
    },
    webcrypto,
  );
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: options.keyPem };
}

/** A leaf certificate followed by the authority's chain, as PEM. */
export async function issueCertificate(request: CertificateRequest): Promise<string> {
  const x509 = await loadX509();
  const issuer = new X509Certificate(request.authority.certificatePem);
  const publicKey = publicCryptoKey(
    typeof request.key === 'string' ? createPublicKey(request.key) : request.key,
  );
  const alternativeNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? [])
      .filter((address) => isIP(address) !== 0)
      .map((value) => ({ type: 'ip' as const, value })),
  ];
  const purposeOid = {
    client: x509.ExtendedKeyUsage.clientAuth,
    server: x509.ExtendedKeyUsage.serverAuth,
  };
  const issuerCertificate = new x509.X509Certificate(issuer.raw);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [
        ...(request.organizations ?? []).map((name) => ({ O: [name] })),
        { CN: [request.commonName] },
      ],
      issuer: issuerCertificate.subjectName,
      serialNumber: serialText(request.serial),
      notBefore: new Date(request.nowMs - skewMs),
      notAfter: new Date(request.nowMs + (request.days ?? 365) * dayMs),
      publicKey,
      signingKey: signingKeyOf(request.authority.keyPem),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
          true,
        ),
        new x509.ExtendedKeyUsageExtension(request.purposes.map((purpose) => purposeOid[purpose])),
        await x509.AuthorityKeyIdentifierExtension.create(issuerCertificate.publicKey),
        ...(alternativeNames.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(alternativeNames)]),
      ],
    },
    webcrypto,
  );
  const authorityPem = request.authority.certificatePem;
  return `${certificate.toString('pem')}\n${authorityPem.endsWith('\n') ? authorityPem : `${authorityPem}\n`}`;
}

function publicCryptoKey(key: KeyObject): CryptoKey {
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: namedCurveOf(key) };
  return key.toCryptoKey(algorithm, true, ['verify']);
}

function namedCurveOf(key: KeyObject): string {
  const curves: Record<string, string> = {
    prime256v1: 'P-256',
    secp384r1: 'P-384',
    secp521r1: 'P-521',
  };
  return curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256';
}

/** Whether the private key belongs to the first certificate of the chain. */
export function keyMatches(certificatePem: string, keyPem: string): boolean {
  return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
}

function serialText(serial: Buffer): string {
  const bytes = Buffer.from(serial);
  // A serial number is a positive integer: the top bit must be clear and the first byte set.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
