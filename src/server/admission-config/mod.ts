/**
 * What flags and the file of --admission-control-config-file say of admission, read once at the
 * start. The plugins themselves are the API server's. Start reading at admission-settings.ts.
 */
export type { AdmissionSettings } from './admission-settings.ts';
export { readAdmissionSettings } from './admission-settings.ts';
export { imagePolicyBackend } from './image-policy-backend.ts';
