import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

import type { AuditBackend } from './audit-backend.ts';
import type { AuditPolicy } from './policy.ts';
import { RequestAudit } from './request-audit.ts';
import type { AuditedRequest } from './request-audit.ts';

/** Decides which requests are audited and writes their events; one for the whole server. */
export interface Auditor {
  /** Undefined when the policy wants nothing told of this request. */
  begin(request: AuditedRequest): RequestAudit | undefined;
  /** Counts a request that failed because its event could not be written. */
  countRejected(): void;
  close(): Promise<void>;
}

export function createAuditor(options: {
  policy: AuditPolicy;
  backend: AuditBackend;
  clock: Clock;
  metrics: MetricRegistry;
}): Auditor {
  const { policy, backend, clock, metrics } = options;
  const total = metrics.counter({
    name: 'apiserver_audit_event_total',
    help: 'Audit events that were made and sent to the backend.',
    stability: 'ALPHA',
  });
  const rejected = metrics.counter({
    name: 'apiserver_audit_requests_rejected_total',
    help: 'Requests refused because of an error of the audit backend.',
    stability: 'ALPHA',
  });
  const levels = metrics.counter({
    name: 'apiserver_audit_level_total',
    help: 'Requests by the level that the policy gave them.',
    stability: 'ALPHA',
    labels: ['level'],
  });
  const events = total.with();
  const refusals = rejected.with();
  const onEvent = (): void => {
    events.value++;
  };
  return {
    begin(request) {
      const decision = policy.decide(request.user, request.info);
      levels.with(decision.level).value++;
      if (decision.level === 'None') return undefined;
      return new RequestAudit({ request, decision, backend, clock, onEvent });
    },
    countRejected() {
      refusals.value++;
    },
    close: () => backend.close(),
  };
}
