import type { Readable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { TransportRequest, TransportResponse } from './transport.ts';
import type { createConnection } from './connection.ts';

/** As client-go: at most this many waits for one request. */
const maxRetries = 10;
const maxRetryAfterMs = 30_000;

/** Requests that the server surely did not see are sent again on a new connection. */
const maxResends = 2;

export interface SendOptions extends TransportRequest {
  /** Ends the request when the answer's head has not come by then; absent for none. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Sends requests: waits when the server says Retry-After (429 and 5xx), sends again what was not
 * sent, and turns connection failures into K3tsError `Unavailable`.
 */
export function createSender(options: {
  connection: ReturnType<typeof createConnection>;
  clock: Clock;
  log: Logger;
  authorization: () => string | undefined;
  userAgent: string;
}): (request: SendOptions) => Promise<TransportResponse> {
  const { connection, clock, log, authorization, userAgent } = options;

  const sendOnce = async (request: SendOptions): Promise<TransportResponse> => {
    const token = authorization();
    const headers = {
      'user-agent': userAgent,
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...request.headers,
    };
    for (let sent = 0; ; sent++) {
      try {
        const transport = await connection.transport();
        return await transport.request({ ...request, headers });
      } catch (error) {
        if (!hasCode(error, 'NotSent')) throw error;
        if (sent >= maxResends) {
          throw new K3tsError('Unavailable', messageOf(error), { cause: error });
        }
      }
    }
  };

  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      const response = await sendOnce(request);
      const waitMs = retryAfterMs(response);
      if (waitMs === undefined || attempt >= maxRetries) return response;
      response.body.resume();
      log.debug('the server asks to wait', { path: request.path, waitMs, status: response.status });
      await clock.sleep(waitMs, request.signal);
    }
  };
}

/** The wait that client-go keeps to: Retry-After in seconds with 429 or any 5xx. */
function retryAfterMs(response: TransportResponse): number | undefined {
  if (response.status !== 429 && response.status < 500) return undefined;
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(seconds * 1000, maxRetryAfterMs);
}

/** Reads a whole body; a connection that ends early is `Unavailable`. */
export async function readBody(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new K3tsError('Unavailable', `the answer ended early: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** The error that an answer with a failure code stands for. */
export function failureOf(response: TransportResponse, body: Buffer): ApiStatusError {
  const text = body.toString('utf8');
  if (response.headers['content-type']?.startsWith('application/json') === true) {
    try {
      const status = JSON.parse(text) as Partial<StatusBody>;
      if (status.kind === 'Status') return ApiStatusError.fromStatus(status, response.status);
    } catch {
      // Not JSON after all: reported as text below.
    }
  }
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  return new ApiStatusError({
    httpCode: response.status,
    reason: reasonOfCode.get(response.status) ?? (response.status >= 500 ? 'InternalError' : ''),
    message: text.trim() === '' ? `the server answered with HTTP ${response.status}` : text.trim(),
    details: {
      causes: [{ reason: 'UnexpectedServerResponse', message: text.trim() }],
      ...(Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}),
    },
  });
}

/** What client-go makes of an HTTP code without a Status. */
const reasonOfCode: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [406, 'NotAcceptable'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'RequestEntityTooLarge'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
]);
