/**
 * MutatingAdmissionWebhook and ValidatingAdmissionWebhook. Who is asked is decided in
 * hook-source.ts (rules, once per kind of request) and select-hook.ts (selectors and conditions,
 * per request); start reading at mutating-webhook.ts.
 */
export type { WebhookPluginOptions } from './call-webhook.ts';
export { createWebhookMetrics } from './webhook-metrics.ts';
export { createMutatingWebhookPlugin } from './mutating-webhook.ts';
export { createValidatingWebhookPlugin } from './validating-webhook.ts';
