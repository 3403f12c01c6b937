import type { ImagePolicyBackend } from '#apiserver/admission/mod.ts';
import { loadWebhook } from '../access/webhook-file.ts';
import type { AdmissionConfiguration } from './admission-configuration.ts';

/** The backend of ImagePolicyWebhook, ready to be called; undefined when none is configured. */
export function imagePolicyBackend(
  { imagePolicy }: AdmissionConfiguration,
  options: Parameters<typeof loadWebhook>[2],
): ImagePolicyBackend | undefined {
  if (imagePolicy === undefined) return undefined;
  const { kubeConfigFile, ...rest } = imagePolicy;
  return { ...rest, ...loadWebhook('admission-control-config-file', kubeConfigFile, options) };
}
