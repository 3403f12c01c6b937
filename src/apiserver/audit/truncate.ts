import type { AuditEvent } from './event.ts';

export interface TruncateLimits {
  readonly maxEventBytes: number;
}

/**
 * Events that are too large lose their bodies and get the annotation that says so; ones that are
 * too large even then are dropped.
 */
export function truncateEvents(
  events: readonly AuditEvent[],
  { maxEventBytes }: TruncateLimits,
): AuditEvent[] {
  return events.flatMap((event) => {
    if (sizeOf(event) <= maxEventBytes) return [event];
    const { requestObject: _request, responseObject: _response, ...rest } = event;
    const annotations = { ...rest.annotations, 'audit.k8s.io/truncated': 'true' };
    const small: AuditEvent = { ...rest, annotations };
    return sizeOf(small) <= maxEventBytes ? [small] : [];
  });
}

function sizeOf(event: AuditEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}
