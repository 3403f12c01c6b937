import { webcrypto, X509Certificate } from 'node:crypto';

import { K3tsError } from '#base/errors.ts';
import type { Authority } from './certificate.ts';
import { signingKeyOf } from './key.ts';
import { loadX509 } from './x509-library.ts';

/** What a signing request asks to be called. */
export interface RequestFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

const requestHeading = 'CERTIFICATE REQUEST';
const requestBlock = /-----BEGIN ([^-]+)-----([^-]+)-----END [^-]+-----/;

/** The bits of key usages and the object identifiers of extended ones, by the API's names. */
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
};
const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

function derOf(pem: string): Buffer {
  const match = requestBlock.exec(pem);
  if (match?.[1] !== requestHeading) {
    throw new K3tsError('BadRequest', `PEM block type must be ${requestHeading}`);
  }
  return Buffer.from(match[2] ?? '', 'base64');
}

/** Reads a PEM request whose own signature is right; throws K3tsError BadRequest otherwise. */
export async function inspectSigningRequest(pem: string): Promise<RequestFacts> {
  const x509 = await loadX509();
  const request = new x509.Pkcs10CertificateRequest(derOf(pem));
  if (!(await request.verify(webcrypto))) {
    throw new K3tsError('BadRequest', 'unable to verify the signature of the request');
  }
  const extension = request.extensions.find(
    (one) => one instanceof x509.SubjectAlternativeNameExtension,
  );
  const names = extension?.names.items ?? [];
  const namesOf = (type: string): string[] =>
    names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField('CN').at(-1) ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: namesOf('dns'),
    ipAddresses: namesOf('ip'),
    emailAddresses: namesOf('email'),
    uris: namesOf('url'),
  };
}

/**
 * Signs a PEM request as cluster signers do: subject and alternative names as asked, usages as
 * given, never an authority, and not beyond the end of the authority. Answers the leaf alone.
 */
export async function signSigningRequest(options: {
  readonly pem: string;
  readonly authority: Authority;
  readonly usages: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serial: Buffer;
}): Promise<string> {
  const x509 = await loadX509();
  const request = new x509.Pkcs10CertificateRequest(derOf(options.pem));
  const issuer = new x509.X509Certificate(
    new X509Certificate(options.authority.certificatePem).raw,
  );
  const names = request.extensions.find(
    (one) => one instanceof x509.SubjectAlternativeNameExtension,
  );
  let bits = 0;
  const identifiers = new Set<string>();
  for (const usage of options.usages) {
    bits |= keyUsages[usage] ?? 0;
    const identifier = extendedKeyUsages[usage];
    if (identifier !== undefined) identifiers.add(identifier);
  }
  const serial = Buffer.from(options.serial);
  // A serial number is a positive integer: the top bit must be clear and the first byte set.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: request.subjectName,
      issuer: issuer.subjectName,
      serialNumber: serial.toString('hex'),
      notBefore: new Date(options.notBeforeMs),
      notAfter: new Date(Math.min(options.notAfterMs, issuer.notAfter.getTime())),
      publicKey: request.publicKey,
      signingKey: signingKeyOf(options.authority.keyPem),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
        ...(identifiers.size === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...identifiers])]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ...(names === undefined ? [] : [names]),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}
