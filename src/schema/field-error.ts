import type { StatusCause } from '#base/api-status-error.ts';

/** Cause types of upstream's field errors, with the text that starts each message. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooShort'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'InternalError';

/** One reason why an object is invalid. `message` is the body without the field, as in causes. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** Path as users see it: spec.containers[0].image. */
  readonly field: string;
  readonly message: string;
}

export function toCause(error: FieldError): StatusCause {
  return { reason: error.type, message: error.message, field: error.field };
}
