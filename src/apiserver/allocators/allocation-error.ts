import { K3tsError } from '#base/errors.ts';

export type AllocationCode = 'Allocated' | 'NotInRange' | 'MismatchedNetwork' | 'Full';

/** An address or port that cannot be had; the message is what upstream tells users. */
export class AllocationError extends K3tsError {
  declare readonly code: AllocationCode;

  constructor(code: AllocationCode, message: string) {
    super(code, message);
    this.name = 'AllocationError';
  }
}
