import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { tryParseIp } from '#base/cidr.ts';
import type { IpAddress } from '#base/cidr.ts';
import { bitString, der, integer, objectIdentifier, octetString, sequence, time } from './der.ts';
import {
  algorithmOf,
  distinguishedName,
  keyIdentifier,
  publicKeyInfo,
  readIssuer,
  signed,
} from './signed-values.ts';

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

/** A self-signed authority with this key, valid for ten years, as k3s makes them. */
export async function createAuthority(options: {
  commonName: string;
  keyPem: string;
  nowMs: number;
  serial: Buffer;
}): Promise<Authority> {
  const key = createPrivateKey(options.keyPem);
  const info = publicKeyInfo(createPublicKey(key));
  const name = distinguishedName([], options.commonName);
  const raw = writeCertificate({
    issuer: name,
    subject: name,
    info,
    signingKey: key,
    serial: options.serial,
    nowMs: options.nowMs,
    days: 3650,
    extensions: [
      extension('2.5.29.19', true, sequence(der(0x01, Buffer.from([0xff])))),
      extension('2.5.29.15', true, authorityUsages),
      extension('2.5.29.14', false, octetString(keyIdentifier(info))),
    ],
  });
  return { certificatePem: pemOf(raw), keyPem: options.keyPem };
}

/** A leaf certificate followed by the authority's chain, as PEM. */
export async function issueCertificate(request: CertificateRequest): Promise<string> {
  const { authority, key } = request;
  const issuer = readIssuer(new X509Certificate(authority.certificatePem).raw);
  const names = alternativeNames(request);
  const raw = writeCertificate({
    issuer: issuer.subject,
    subject: distinguishedName(request.organizations ?? [], request.commonName),
    info: publicKeyInfo(typeof key === 'string' ? createPublicKey(key) : key),
    signingKey: createPrivateKey(authority.keyPem),
    serial: request.serial,
    nowMs: request.nowMs,
    days: request.days ?? 365,
    extensions: [
      extension('2.5.29.15', true, leafUsages),
      extension('2.5.29.37', false, sequence(...request.purposes.map((one) => purposes[one]))),
      extension('2.5.29.35', false, sequence(der(0x80, issuer.keyIdentifier))),
      ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names))]),
    ],
  });
  const authorityPem = authority.certificatePem;
  return pemOf(raw) + (authorityPem.endsWith('\n') ? authorityPem : `${authorityPem}\n`);
}

/** Digital signature, key encipherment and signing of certificates, as bits from the left. */
const authorityUsages = bitString(Buffer.from([0xa4]), 2);
const leafUsages = bitString(Buffer.from([0xa0]), 5);
const purposes: Readonly<Record<KeyUsagePurpose, Buffer>> = {
  client: objectIdentifier('1.3.6.1.5.5.7.3.2'),
  server: objectIdentifier('1.3.6.1.5.5.7.3.1'),
};

function extension(identifier: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectIdentifier(identifier), ...critical, octetString(value));
}

function alternativeNames({ dnsNames = [], ipAddresses = [] }: CertificateRequest): Buffer[] {
  const addresses = ipAddresses.flatMap((one) => tryParseIp(one) ?? []);
  return [
    ...dnsNames.map((name) => der(0x82, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => der(0x87, addressBytes(address))),
  ];
}

function addressBytes({ family, value }: IpAddress): Buffer {
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
}

function writeCertificate(of: {
  issuer: Buffer;
  subject: Buffer;
  info: Buffer;
  signingKey: KeyObject;
  serial: Buffer;
  nowMs: number;
  days: number;
  extensions: readonly Buffer[];
}): Buffer {
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(positive(of.serial)),
    algorithmOf(of.signingKey),
    of.issuer,
    sequence(time(of.nowMs - skewMs), time(of.nowMs + of.days * dayMs)),
    of.subject,
    of.info,
    der(0xa3, sequence(...of.extensions)),
  );
  return signed(body, of.signingKey);
}

function pemOf(raw: Buffer): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Whether the private key belongs to the first certificate of the chain. */
export function keyMatches(certificatePem: string, keyPem: string): boolean {
  return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
}

/** A serial number is a positive integer: the top bit must be clear and the first byte set. */
function positive(serial: Buffer): Buffer {
  const bytes = Buffer.from(serial);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
