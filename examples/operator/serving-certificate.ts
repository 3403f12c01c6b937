import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
// keeps the metadata that the certificate library needs
import 'reflect-metadata';
import {
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const dayMs = 24 * 3600 * 1000;

/** A fresh key and a certificate that signs itself, so it is its own `caBundle`; PEM. */
export async function createServingCertificate(
  host: string,
): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = [{ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }];
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=website-operator',
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + 365 * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new SubjectAlternativeNameExtension(names),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature),
      ],
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return { cert: certificate.toString('pem'), key: pem };
}
