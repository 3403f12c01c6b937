/**
 * The base of every error that k3ts throws on purpose. `code` is a literal that callers switch on;
 * the message is for people.
 */
export class K3tsError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'K3tsError';
    this.code = code;
  }
}

/** Whether `error` is a K3tsError with this code, also across copies of the module. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
