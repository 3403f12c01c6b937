import { K3tsError } from '#base/errors.ts';

/** An address or port that cannot be had; the message is what upstream tells users. */
export class AllocationError extends K3tsError {
  declare readonly code: 'Allocated' | 'NotInRange' | 'Full';

  constructor(code: 'Allocated' | 'NotInRange' | 'Full', message: string) {
    super(code, message);
    this.name = 'AllocationError';
  }
}
