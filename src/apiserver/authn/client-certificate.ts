import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';

import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

import type { UserInfo } from '../request.ts';
import type { Authenticated, Authenticator, Credentials } from './authenticator.ts';
import { verifyClientChain } from './certificate-chain.ts';
import { unauthorized } from './failures.ts';

/** Remembered certificates; the oldest is forgotten first. */
const maxRemembered = 1024;
const hour = 3600;
const day = 24 * hour;
/** Upper bounds of upstream, from nothing to a year. */
const lifeSeconds = [0, 0.5, 1, 2, 6, 12]
  .map((hours) => hours * hour)
  .concat([1, 2, 4, 7, 30, 90, 180, 365].map((days) => days * day));
/** Attribute that carries the uid of a user (AllowParsingUserUIDFromCertAuth). */
const uidAttribute = '1.3.6.1.4.1.57683.2';

export interface ClientCertificateOptions {
  readonly clock: Clock;
  /** The trusted authorities; another array means that they changed. */
  readonly authorities: () => readonly X509Certificate[];
  readonly metrics?: MetricRegistry | undefined;
}

interface Remembered {
  readonly authorities: readonly X509Certificate[];
  readonly notAfterMs: number;
  readonly authenticated: Authenticated;
}

/**
 * Client certificates: CN is the user, each O a group, as upstream. A chain is verified once and
 * remembered until it ends or the authorities change, so a connection costs one verification.
 */
export function createClientCertificateAuthenticator(
  options: ClientCertificateOptions,
): Authenticator {
  const lives = options.metrics
    ?.histogram({
      name: 'apiserver_client_certificate_expiration_seconds',
      help: 'Remaining life of the certificates that requests come with.',
      stability: 'ALPHA',
      buckets: lifeSeconds,
    })
    .with();
  const byBuffer = new WeakMap<Buffer, Remembered>();
  const byFingerprint = new Map<string, Remembered>();

  function authenticate(der: Buffer): Authenticated {
    const authorities = options.authorities();
    const nowMs = options.clock.now();
    const isGood = (entry: Remembered | undefined): entry is Remembered =>
      entry !== undefined && entry.authorities === authorities && nowMs <= entry.notAfterMs;
    const ofConnection = byBuffer.get(der);
    if (isGood(ofConnection)) {
      lives?.observe((ofConnection.notAfterMs - nowMs) / 1000);
      return ofConnection.authenticated;
    }
    const key = createHash('sha256').update(der).digest('base64');
    let entry = byFingerprint.get(key);
    if (!isGood(entry)) {
      const chain = verifyClientChain(der, authorities, nowMs);
      entry = {
        authorities,
        notAfterMs: chain.notAfterMs,
        authenticated: { user: userOf(chain.leaf) },
      };
      byFingerprint.delete(key);
      byFingerprint.set(key, entry);
      if (byFingerprint.size > maxRemembered) {
        for (const oldest of byFingerprint.keys()) {
          byFingerprint.delete(oldest);
          break;
        }
      }
    }
    byBuffer.set(der, entry);
    lives?.observe((entry.notAfterMs - nowMs) / 1000);
    return entry.authenticated;
  }

  return {
    async authenticate(credentials: Credentials) {
      if (credentials.peerCertificate === undefined) return undefined;
      try {
        return authenticate(credentials.peerCertificate);
      } catch (error) {
        throw unauthorized('verifying certificate failed', error);
      }
    },
  };
}

/** The identity in the subject of a certificate; throws when it has no common name. */
export function userOf(leaf: X509Certificate): UserInfo {
  const subject = leaf.toLegacyObject().subject as unknown as Record<
    string,
    string | string[] | undefined
  >;
  // Of several common names the last counts, as in Go's pkix.Name.
  const name = listOf(subject['CN']).at(-1) ?? '';
  if (name === '') throw new Error('certificate has no common name');
  const uid = listOf(subject[uidAttribute])[0];
  const fingerprint = createHash('sha256').update(leaf.raw).digest('hex');
  return {
    name,
    uid,
    groups: listOf(subject['O']),
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  };
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
