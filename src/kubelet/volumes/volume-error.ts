import { K3tsError } from '#base/errors.ts';

/**
 * A volume that could not be set up; its text is what comes after `SetUp failed for volume "v" : `.
 */
export class VolumeError extends K3tsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('VolumeSetUp', message, options);
    this.name = 'VolumeError';
  }
}
