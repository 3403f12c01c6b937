import type { Readable } from 'node:stream';

export interface TransportRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to the end or destroyed. */
  readonly body: Readable;
}

/** Credentials that a connection shows, and whom it trusts. PEM texts. */
export interface TlsMaterial {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** Name to verify instead of the host in the URL. */
  readonly serverName?: string | undefined;
  /** True trusts any server certificate; for `insecure-skip-tls-verify` only. */
  readonly insecure?: boolean | undefined;
}

/**
 * Sends one request and resolves with the head of the answer. Rejects with K3tsError `Unavailable`
 * when the connection fails (`NotSent` when the server certainly did not process the request), or
 * with the signal's reason.
 */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
  /** True when no further request can be sent and a new transport is needed. */
  readonly closed: boolean;
  /** Ends idle connections at once and busy ones when their requests end. */
  close(): void;
  /** Ends all connections at once; open requests fail. */
  destroy(): void;
}

/** Values of headers that may repeat are joined as HTTP says. */
export function flattenHeaders(
  headers: Readonly<Record<string, string | string[] | number | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (value === undefined || key.startsWith(':')) continue;
    flat[key] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return flat;
}
