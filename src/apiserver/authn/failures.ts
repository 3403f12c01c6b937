import { ApiStatusError } from '#base/api-status-error.ts';

/** 401. The answer never says why; `cause` carries it for the log. */
export function unauthorized(why: string, cause?: unknown): ApiStatusError {
  return new ApiStatusError({
    httpCode: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
    cause: new Error(why, { cause }),
  });
}
