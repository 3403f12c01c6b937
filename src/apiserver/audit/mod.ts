/**
 * The audit log: which requests are told of, their events of audit.k8s.io/v1, and where these go.
 * It opens no files itself: sinks and clients come in. Start at auditor.ts, then request-audit.ts
 * (the events of a request), policy.ts, and the backends.
 */
export type { AuditBackend } from './audit-backend.ts';
export { joinBackends } from './audit-backend.ts';
export type { Auditor } from './auditor.ts';
export { createAuditor } from './auditor.ts';
export type { BatchOptions } from './batch.ts';
export { createBatches } from './batch.ts';
export type { AuditEvent } from './event.ts';
export type { LineSink } from './log-backend.ts';
export { createLogBackend } from './log-backend.ts';
export type { AuditPolicy } from './policy.ts';
export { parseAuditPolicy } from './policy.ts';
export type { TruncateLimits } from './truncate.ts';
export { truncateEvents } from './truncate.ts';
export { createBlockingWebhook, createWebhookSender } from './webhook-backend.ts';
