import type { UserInfo } from '../request.ts';

/** What a connection brings to prove who speaks. */
export interface Credentials {
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** DER of the client certificate that the TLS layer got, leaf first; not verified yet. */
  readonly peerCertificate: Buffer | undefined;
  readonly remoteAddress: string;
  /** Path of the request without the query. */
  readonly path?: string | undefined;
}

export interface Authenticated {
  readonly user: UserInfo;
  readonly audiences?: readonly string[] | undefined;
  /** What the audit is to tell of the credentials. */
  readonly auditAnnotations?: Readonly<Record<string, string>> | undefined;
  /** What the client is to be told of them. */
  readonly warnings?: readonly string[] | undefined;
}

/**
 * Undefined when the credentials are not of this kind (the next one is asked); throws an
 * ApiStatusError Unauthorized when they are, but are wrong.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Authenticated | undefined>;
}
