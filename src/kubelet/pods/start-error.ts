import { K3tsError } from '#base/errors.ts';

/**
 * A container that could not be started: the reason and message its status shows while it waits.
 * `retryAtMs` is known when a back-off is the cause.
 */
export class ContainerStartError extends K3tsError {
  readonly reason: string;
  readonly retryAtMs: number | undefined;

  constructor(
    reason: string,
    message: string,
    options: { cause?: unknown; retryAtMs?: number } = {},
  ) {
    super('ContainerStart', message, options);
    this.name = 'ContainerStartError';
    this.reason = reason;
    this.retryAtMs = options.retryAtMs;
  }
}
