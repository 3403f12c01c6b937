import { K3tsError } from '#base/errors.ts';

/** The error for a configuration that cannot be used; it never shows secrets. */
export function bad(message: string): K3tsError {
  return new K3tsError('BadEncryptionConfig', message);
}
