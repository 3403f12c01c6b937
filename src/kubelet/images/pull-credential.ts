import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { AuthConfig } from '../cri/mod.ts';

/** The secret that a credential is from, as pull records name it. */
export interface PullSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The same for equal credentials, whichever secret they are in. */
  readonly credentialHash: string;
}

/** The service account that a provider gave a credential for. */
export interface PullServiceAccount {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * A credential for a registry. With neither a secret nor a service account it is the node's and
 * good for all of its pods.
 */
export interface PullCredential {
  readonly auth: AuthConfig;
  readonly secret?: PullSecret | undefined;
  readonly serviceAccount?: PullServiceAccount | undefined;
}

export function credentialHash(auth: AuthConfig): string {
  return createHash('sha256').update(canonicalJson(auth)).digest('hex');
}
