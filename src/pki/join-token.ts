import { createHash, X509Certificate } from 'node:crypto';

import { K3tsError } from '#base/errors.ts';

/** What a node needs to join: whom to trust and how to introduce itself. */
export interface JoinToken {
  /** Hex SHA-256 of the authority, empty when the token does not pin one. */
  readonly caHash: string;
  readonly username: string;
  readonly password: string;
  /** `id.secret` of a bootstrap token, instead of user and password. */
  readonly bootstrapToken: string | undefined;
}

const prefix = 'K10';
const hashLength = 64;
const bootstrapPattern = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;

/**
 * Reads `K10<hash>::user:password`, `K10<hash>::id.secret`, a bare password or a bare bootstrap
 * token; throws `InvalidToken` for anything else.
 */
export function parseJoinToken(text: string): JoinToken {
  const token = text.trim();
  if (token === '') throw new K3tsError('InvalidToken', 'token must not be empty');
  if (!token.startsWith(prefix)) {
    const isBootstrap = bootstrapPattern.test(token);
    return {
      caHash: '',
      username: '',
      password: isBootstrap ? '' : token,
      bootstrapToken: isBootstrap ? token : undefined,
    };
  }
  const separator = token.indexOf('::');
  if (separator < 0) throw new K3tsError('InvalidToken', 'invalid token format: "::" is missing');
  const hash = token.slice(prefix.length, separator);
  if (hash !== '' && !/^[0-9a-f]{64}$/.test(hash)) {
    throw new K3tsError(
      'InvalidToken',
      `invalid token CA hash length: expected ${hashLength} hex digits, got ${hash.length}`,
    );
  }
  const credentials = token.slice(separator + 2);
  if (bootstrapPattern.test(credentials)) {
    return { caHash: hash, username: '', password: '', bootstrapToken: credentials };
  }
  const colon = credentials.indexOf(':');
  if (colon < 0 && hash !== '') {
    throw new K3tsError('InvalidToken', 'invalid token format: user:password expected');
  }
  return {
    caHash: hash,
    username: colon < 0 ? '' : credentials.slice(0, colon),
    password: credentials.slice(colon + 1),
    bootstrapToken: undefined,
  };
}

/** The full form that names the authority. */
export function formatJoinToken(authorityPem: string, username: string, password: string): string {
  return `${prefix}${caHash(authorityPem)}::${username}:${password}`;
}

/** k3s' fingerprint of an authority file: of the PEM bytes, or of the root's DER for a chain. */
export function caHash(authorityPem: string): string {
  const certificates = authorityPem.match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  );
  const last = certificates?.at(-1);
  if (certificates !== null && certificates.length > 1 && last !== undefined) {
    return createHash('sha256').update(new X509Certificate(last).raw).digest('hex');
  }
  return createHash('sha256').update(authorityPem).digest('hex');
}
