import { ApiStatusError } from '#base/api-status-error.ts';
import { badRequest } from '../../api-errors.ts';
import type { WebhookStatus } from './review-answer.ts';

/** A webhook could not be asked or gave no usable answer; failurePolicy says what that means. */
export class WebhookFailure extends Error {
  constructor(webhook: string, text: string, cause?: unknown) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${text}`, { cause });
    this.name = 'WebhookFailure';
  }
}

/** The answer to a refused write: the webhook's own code, reason and details are kept. */
export function deniedBy(webhook: string, status: WebhookStatus | undefined): ApiStatusError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const { code = 0, message = '', reason = '', details } = status ?? {};
  const why = message === '' ? reason : message;
  return new ApiStatusError({
    httpCode: code < 400 ? 400 : code,
    reason,
    message: why === '' ? `${denied} without explanation` : `${denied}: ${why}`,
    details: details,
  });
}

export function dryRunUnsupported(webhook: string): ApiStatusError {
  return badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`);
}
