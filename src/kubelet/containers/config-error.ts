import { K3tsError } from '#base/errors.ts';

/** A container that cannot be described to the runtime; shown as CreateContainerConfigError. */
export class ContainerConfigError extends K3tsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('ContainerConfig', message, options);
    this.name = 'ContainerConfigError';
  }
}
