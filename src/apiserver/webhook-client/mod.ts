/**
 * POSTs JSON to HTTPS servers that users name in objects and files: admission, conversion,
 * authentication and authorization webhooks. It knows nothing of what is said. Start reading at
 * webhook-client.ts; how a Service becomes an address is in service-resolver.ts.
 */
export { callWithRetries } from './call-with-retries.ts';
export { WebhookCallError } from './call-error.ts';
export type { ServiceResolver } from './service-resolver.ts';
export { createServiceResolver } from './service-resolver.ts';
export type {
  WebhookCallOptions,
  WebhookClient,
  WebhookClientOptions,
  WebhookCredentials,
} from './webhook-client.ts';
export { createWebhookClient } from './webhook-client.ts';
export type { WebhookClientConfig } from './webhook-target.ts';
