import { ApiStatusError } from '#base/api-status-error.ts';
import type { FieldError } from '#schema/mod.ts';
import { toCause } from '#schema/mod.ts';

/** Group and plural resource, as error texts name them. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** `pods`, or `deployments.apps` outside the core group. */
export function qualified(of: GroupResource): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`;
}

function details(of: GroupResource, name: string): { name?: string; group?: string; kind: string } {
  return {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    kind: of.resource,
  };
}

export function notFound(of: GroupResource, name: string): ApiStatusError {
  return new ApiStatusError({
    httpCode: 404,
    reason: 'NotFound',
    message: `${qualified(of)} ${JSON.stringify(name)} not found`,
    details: details(of, name),
  });
}

/** `isGoing`: the one that is in the way is being deleted. */
export function alreadyExists(of: GroupResource, name: string, isGoing = false): ApiStatusError {
  return new ApiStatusError({
    httpCode: 409,
    reason: 'AlreadyExists',
    message: `${going(isGoing)}${qualified(of)} ${JSON.stringify(name)} already exists`,
    details: details(of, name),
  });
}

function going(isGoing: boolean): string {
  return isGoing ? 'object is being deleted: ' : '';
}

/** After all attempts at a random name met an existing one. */
export function generateNameConflict(
  of: GroupResource,
  name: string,
  isGoing = false,
): ApiStatusError {
  return new ApiStatusError({
    httpCode: 409,
    reason: 'AlreadyExists',
    message: `${going(isGoing)}${qualified(of)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`,
    details: { ...details(of, name), retryAfterSeconds: 1 },
  });
}

export function conflict(of: GroupResource, name: string, text?: string): ApiStatusError {
  const why =
    text ??
    'the object has been modified; please apply your changes to the latest version and try again';
  return new ApiStatusError({
    httpCode: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(of)} ${JSON.stringify(name)}: ${why}`,
    details: details(of, name),
  });
}

/** The text of upstream's storage for a precondition that does not hold. */
export function preconditionText(key: string, uid: string, storedUid: string | undefined): string {
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${storedUid ?? ''}`;
}

export function invalid(
  of: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiStatusError {
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  const lines = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiStatusError({
    httpCode: 422,
    reason: 'Invalid',
    message: `${kind} ${JSON.stringify(name)} is invalid: ${text}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(of.group === '' ? {} : { group: of.group }),
      ...(of.kind === '' ? {} : { kind: of.kind }),
      causes: errors.map(toCause),
    },
  });
}

export function forbidden(of: GroupResource, name: string, text: string): ApiStatusError {
  const subject = name === '' ? qualified(of) : `${qualified(of)} ${JSON.stringify(name)}`;
  return new ApiStatusError({
    httpCode: 403,
    reason: 'Forbidden',
    message: `${subject} is forbidden: ${text}`,
    details: details(of, name),
  });
}

export function unauthorized(): ApiStatusError {
  return new ApiStatusError({ httpCode: 401, reason: 'Unauthorized', message: 'Unauthorized' });
}

export function badRequest(message: string, cause?: unknown): ApiStatusError {
  return new ApiStatusError({ httpCode: 400, reason: 'BadRequest', message, cause });
}

export function methodNotAllowed(of: GroupResource, action: string): ApiStatusError {
  return new ApiStatusError({
    httpCode: 405,
    reason: 'MethodNotAllowed',
    message: `${action} is not supported on resources of kind ${JSON.stringify(qualified(of))}`,
    details: { ...(of.group === '' ? {} : { group: of.group }), kind: of.resource },
  });
}

/** 404 of a path under a served group that leads nowhere. */
export function pathNotRouted(): ApiStatusError {
  return new ApiStatusError({
    httpCode: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  });
}

/** 405 of a path that has no route for the method. */
export function methodNotRouted(): ApiStatusError {
  return new ApiStatusError({
    httpCode: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });
}

export function notAcceptable(accepted: readonly string[]): ApiStatusError {
  return new ApiStatusError({
    httpCode: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  });
}

export function unsupportedMediaType(accepted: readonly string[]): ApiStatusError {
  return new ApiStatusError({
    httpCode: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });
}

export function requestEntityTooLarge(limitBytes: number): ApiStatusError {
  return new ApiStatusError({
    httpCode: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${limitBytes}`,
  });
}

/** 410: the client has to list again. */
export function expired(message: string, continueToken?: string): ApiStatusError {
  return new ApiStatusError({ httpCode: 410, reason: 'Expired', message, continueToken });
}

export function tooOldResourceVersion(asked: number, oldest: number): ApiStatusError {
  return expired(`too old resource version: ${asked} (${oldest})`);
}

/**
 * 504: the version asked for has not happened here yet. Who was not waited for is not told either
 * when to come again.
 */
export function tooLargeResourceVersion(
  asked: number,
  current: number,
  hasWaited = true,
): ApiStatusError {
  return new ApiStatusError({
    httpCode: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      ...(hasWaited ? { retryAfterSeconds: 1 } : {}),
    },
  });
}

export function internalError(text: string, cause?: unknown): ApiStatusError {
  const message = `Internal error occurred: ${text}`;
  return new ApiStatusError({
    httpCode: 500,
    reason: 'InternalError',
    message,
    details: { causes: [{ message: text }] },
    cause,
  });
}

export function requestTimeout(text: string): ApiStatusError {
  return new ApiStatusError({ httpCode: 504, reason: 'Timeout', message: `Timeout: ${text}` });
}

/**
 * What the server refuses because it has too much to do, in upstream's words. Over HTTP it is plain
 * text and no Status: the answer is given before anything is known of the client's wishes.
 */
export class TooBusyError extends ApiStatusError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super({
      httpCode: 429,
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
      details: { retryAfterSeconds },
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function serviceUnavailable(message: string, cause?: unknown): ApiStatusError {
  return new ApiStatusError({ httpCode: 503, reason: 'ServiceUnavailable', message, cause });
}

/** A 500 without a reason: upstream's form of an error that is no Status. */
export function plainError(message: string, cause?: unknown): ApiStatusError {
  return new ApiStatusError({ httpCode: 500, reason: '', message, cause });
}
