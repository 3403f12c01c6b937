import { ApiStatusError } from '#base/api-status-error.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import { https } from '#base/node-http.ts';
import { caHash, parseJoinToken } from '#pki/mod.ts';
import type { JoinToken } from '#pki/mod.ts';

const timeoutMs = 10_000;
const maxAnswerBytes = 1024 * 1024;

/** Talks to the supervisor API of one server, which it trusts by the token's fingerprint. */
export interface SupervisorClient {
  /** PEM of the authority that the server's certificate is checked with. */
  readonly serverCaPem: string;
  get(path: string): Promise<string>;
  /** Sends a signing request (DER) and returns the certificate. */
  requestCertificate(path: string, headers: Record<string, string>, csr: Buffer): Promise<string>;
}

/** Certificate and key of a node that joined before; tried before the token. */
export interface ClientIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/**
 * Fetches /cacerts, checks its fingerprint against the token's, and gives a client for the rest.
 * Throws `Unavailable` when the server cannot be reached, `InvalidToken` when the fingerprint or
 * the password is wrong.
 */
export async function connectSupervisor(options: {
  serverUrl: string;
  token: string;
  identity: ClientIdentity | undefined;
}): Promise<SupervisorClient> {
  const token = parseJoinToken(options.token);
  const base = new URL(options.serverUrl);
  if (base.protocol !== 'https:') {
    throw new K3tsError('Usage', `server URL ${options.serverUrl} must start with https://`);
  }
  const serverCaPem = await send(base, { path: '/cacerts', ca: undefined });
  if (token.caHash !== '' && caHash(serverCaPem) !== token.caHash) {
    throw new K3tsError(
      'InvalidToken',
      `token CA hash does not match the Cluster CA certificate hash: ${token.caHash} != ` +
        caHash(serverCaPem),
    );
  }
  const common = { ca: serverCaPem, authorization: authorizationOf(token) };
  /** By the certificate of a node that joined before: its token may have ended since. */
  const sendAsNode = async (call: Call): Promise<string> => {
    const { identity } = options;
    if (identity === undefined) return await send(base, call);
    try {
      return await send(base, { ...call, authorization: undefined, identity });
    } catch (error) {
      // A node that was deleted, or a changed authority: the token decides.
      if (!(error instanceof ApiStatusError) && !hasCode(error, 'InvalidToken')) throw error;
      return await send(base, call);
    }
  };
  return {
    serverCaPem,
    get: (path) => sendAsNode({ ...common, path }),
    requestCertificate: (path, headers, csr) => sendAsNode({ ...common, path, headers, body: csr }),
  };
}

function authorizationOf(token: JoinToken): string {
  if (token.bootstrapToken !== undefined) return `Bearer ${token.bootstrapToken}`;
  // Agents always introduce themselves as node, whatever the token's user, as k3s does.
  return `Basic ${Buffer.from(`node:${token.password}`).toString('base64')}`;
}

interface Call {
  readonly path: string;
  readonly ca: string | undefined;
  readonly authorization?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

function send(base: URL, call: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port === '' ? 443 : Number(base.port),
        path: call.path,
        method: call.body === undefined ? 'GET' : 'POST',
        // Before the authority is known there is nothing to check with: the fingerprint does it.
        rejectUnauthorized: call.ca !== undefined,
        ...(call.ca === undefined ? {} : { ca: call.ca }),
        ...(call.identity === undefined
          ? {}
          : { cert: call.identity.certificatePem, key: call.identity.keyPem }),
        agent: false,
        timeout: timeoutMs,
        headers: {
          ...call.headers,
          ...(call.authorization === undefined ? {} : { authorization: call.authorization }),
          ...(call.body === undefined ? {} : { 'content-length': call.body.length }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on('data', (chunk: Buffer) => {
          sizeBytes += chunk.length;
          if (sizeBytes > maxAnswerBytes) request.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(toError(call.path, response.statusCode ?? 0, text));
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => {
      reject(
        new K3tsError('Unavailable', `cannot reach ${base.origin}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    });
    request.end(call.body);
  });
}

function toError(path: string, httpCode: number, text: string): Error {
  let message = text.trim();
  try {
    message = (JSON.parse(text) as Partial<StatusBody>).message ?? message;
  } catch {
    // Not a Status: the text itself is the message.
  }
  if (httpCode === 401 || (httpCode === 403 && !path.includes('kubelet'))) {
    return new K3tsError(
      'InvalidToken',
      `the server refused the token (${httpCode} ${message}): take it from ` +
        'server/node-token on the server',
    );
  }
  return new ApiStatusError({ httpCode, reason: '', message: `${path}: ${httpCode} ${message}` });
}
