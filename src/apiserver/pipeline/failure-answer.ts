import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { StoreError } from '#store/mod.ts';
import { sendValue } from '../answers/object-answer.ts';
import { internalError, plainError, serviceUnavailable, TooBusyError } from '../api-errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { negotiateForm } from '../negotiate.ts';
import type { RequestContext } from '../request.ts';
import { AuthorizationFailure } from './authorize.ts';
import { answerText } from './path-answer.ts';

/**
 * Tells a client what failed, as text where upstream does and else as a Status, and answers the
 * HTTP code. A connection in the middle of an answer is broken off; one that is gone gets nothing.
 */
export async function answerFailure(
  exchange: Exchange,
  error: unknown,
  contextOf: () => RequestContext,
): Promise<number> {
  const failure = toStatusError(error);
  if (exchange.isClosed) return failure.httpCode;
  if (exchange.isAnswered) {
    exchange.destroy();
    return failure.httpCode;
  }
  const context = contextOf();
  if (error instanceof TooBusyError) {
    const headers = { 'Retry-After': String(error.retryAfterSeconds) };
    answerText(exchange, context, { status: error.httpCode, text: error.message, headers });
    return error.httpCode;
  }
  if (error instanceof AuthorizationFailure) {
    const uri = exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`;
    answerText(exchange, context, { status: error.httpCode, text: error.textFor(uri) });
    return error.httpCode;
  }
  const options = { status: failure.httpCode, form: errorForm(exchange) };
  await sendValue(exchange, context, failure.toStatus(), options);
  return failure.httpCode;
}

function errorForm(exchange: Exchange): ReturnType<typeof negotiateForm> {
  try {
    const { media } = negotiateForm(exchange.headers.accept, ['Table']);
    return { media, as: undefined };
  } catch {
    return { media: 'json', as: undefined };
  }
}

/** What everybody outside is told once the server ends. */
export function shuttingDown(): ApiStatusError {
  const { httpCode, reason, message } = serviceUnavailable('apiserver is shutting down');
  return new ApiStatusError({ httpCode, reason, message, details: { retryAfterSeconds: 1 } });
}

/** Failures that have a Status of their own; others are our bugs. */
export function isExpected(error: unknown): boolean {
  return error instanceof ApiStatusError || error instanceof StoreError;
}

/** The failure as clients see it. */
export function toStatusError(error: unknown): ApiStatusError {
  if (error instanceof ApiStatusError) return error;
  if (error instanceof StoreError && (error.code === 'Unavailable' || error.code === 'Closed')) {
    return serviceUnavailable(error.message, error);
  }
  if (error instanceof StoreError && error.code === 'Refused') {
    return plainError(error.message, error);
  }
  return internalError(messageOf(error), error);
}
