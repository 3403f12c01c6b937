/**
 * What may be written: each upstream admission plugin in a file of its own, over attributes that
 * the core fills in. It reads the cluster through ObjectReader only, and writes nothing but the use
 * of quotas. Start reading at plugin-order.ts.
 */
export type { EventLimit } from './event-rate-limit.ts';
export { isEventLimitType } from './event-rate-limit.ts';
export type { ExtensionPluginsOptions } from './extension-plugins.ts';
export { createExtensionPlugins } from './extension-plugins.ts';
export { createPolicyHooks, keepPolicyStatus } from './policies/mod.ts';
export type { ImagePolicyBackend } from './image-policy.ts';
export type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from './plugin.ts';
export {
  admissionPlugins,
  createAdmissionPlugins,
  disablingProblem,
  enablingProblem,
} from './plugin-order.ts';
export type { AdmissionOptions } from './plugin-order.ts';
export type { NodeSelectorConfig } from './pod-node-selector.ts';
export { isPolicyLevel, isPolicyVersion } from './pod-security/policy-level.ts';
export type { PodSecurityConfig } from './pod-security/pod-security.ts';
export type { TolerationConfig } from './pod-toleration-restriction.ts';
export { createClientQuotaWriter } from './quota/client-quota-writer.ts';
export type { LimitedResource } from './quota/limited-resources.ts';
export type { QuotaWriter } from './quota/resource-quota.ts';
