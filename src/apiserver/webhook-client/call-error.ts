import { K3tsError, messageOf } from '#base/errors.ts';

/**
 * A webhook could not be asked, or gave no JSON. The message is the one of Kubernetes' own client:
 * `Post "https://…?timeout=10s": dial tcp …: connect: connection refused`.
 */
export class WebhookCallError extends K3tsError {
  /** Of an answer that was no success. */
  readonly statusCode: number | undefined;
  /** What came with it, at most the answers' bound. */
  readonly body: string | undefined;
  /** The time limit ended the call. */
  readonly isTimeout: boolean;

  constructor(
    message: string,
    options: { cause?: unknown; statusCode?: number; body?: string; isTimeout?: boolean } = {},
  ) {
    super('webhook-call', message, { cause: options.cause });
    this.name = 'WebhookCallError';
    this.statusCode = options.statusCode;
    this.body = options.body;
    this.isTimeout = options.isTimeout ?? false;
  }
}

const unknownAuthority = 'x509: certificate signed by unknown authority';

const certificateTexts: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
  INVALID_PURPOSE: 'x509: certificate specifies an incompatible key usage',
};

const dialTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
};

interface ConnectionError extends NodeJS.ErrnoException {
  readonly reason?: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

/** What Go says where Node says `error`; clients and their tests look for these words. */
export function goErrorText(error: unknown, host: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', address, port, hostname = host, cert } = error as ConnectionError;
  const dialText = dialTexts[code];
  if (dialText !== undefined) {
    const target = address?.includes(':') === true ? `[${address}]` : (address ?? host);
    return `dial tcp ${target}${port === undefined ? '' : `:${port}`}: ${dialText}`;
  }
  const certificateText = certificateTexts[code];
  if (certificateText !== undefined) return `tls: failed to verify certificate: ${certificateText}`;
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: ${wrongNameText(cert?.subjectaltname, host)}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostname}: no such host`;
    case 'ECONNRESET':
      return error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
    default:
      return messageOf(error);
  }
}

function wrongNameText(altNames: string | undefined, host: string): string {
  const names = [...(altNames ?? '').matchAll(/(DNS|IP Address):([^,\s"]+)/g)].map((match) => ({
    isAddress: match[1] === 'IP Address',
    value: match[2],
  }));
  const isAddress = /^[\d.]+$|:/.test(host);
  const values = names.filter((name) => name.isAddress === isAddress).map((name) => name.value);
  if (values.length > 0) return `x509: certificate is valid for ${values.join(', ')}, not ${host}`;
  if (isAddress) {
    return `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  }
  return names.length === 0
    ? 'x509: certificate relies on legacy Common Name field, use SANs instead'
    : `x509: certificate is not valid for any names, but wanted to match ${host}`;
}
