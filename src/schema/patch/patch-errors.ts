import { ApiStatusError } from '#base/api-status-error.ts';

export function badRequest(message: string): ApiStatusError {
  return new ApiStatusError({ httpCode: 400, reason: 'BadRequest', message });
}

/** A patch that is well formed but does not fit the object: upstream tells no more than this. */
export function unprocessable(cause: string): ApiStatusError {
  return new ApiStatusError({
    httpCode: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
    cause: new Error(cause),
  });
}

/** An error that upstream passes on without a Status of its own. */
export function plainFailure(message: string): ApiStatusError {
  return new ApiStatusError({ httpCode: 500, reason: '', message });
}

/** The name that Go gives a JSON value in decoding errors. */
export function jsonTypeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets a field also when it is called __proto__, so that no patch reaches a prototype. */
export function setField(target: Fields, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else target[key] = value;
}

/** An object's own field; what it inherits does not exist. */
export function ownField(of: Fields, key: string): unknown {
  return Object.hasOwn(of, key) ? of[key] : undefined;
}
