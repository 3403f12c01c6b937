/**
 * A webhook for tests: an HTTPS server on loopback with an authority of its own. Start reading at
 * fake-webhook.ts.
 */
export type { FakeWebhook, FakeWebhookRequest } from './fake-webhook.ts';
export { startFakeWebhook } from './fake-webhook.ts';
