import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { CertificateSigningRequest } from '#schema/types.ts';

export function hasCondition(request: CertificateSigningRequest, type: string): boolean {
  return request.status?.conditions?.some((condition) => condition.type === type) === true;
}

export function requestPem(request: CertificateSigningRequest): string {
  return Buffer.from(request.spec.request, 'base64').toString('utf8');
}

/** Adds a condition through the subresource that may hold it: approval or status. */
export async function addCondition(
  client: Client,
  request: CertificateSigningRequest,
  subresource: 'approval' | 'status',
  condition: { type: string; reason: string; message: string; nowMs: number },
): Promise<void> {
  const { type, reason, message, nowMs } = condition;
  const now = formatTime(nowMs);
  const conditions = [
    ...(request.status?.conditions ?? []),
    { type, status: 'True', reason, message, lastUpdateTime: now, lastTransitionTime: now },
  ];
  const next = { ...request, status: { ...request.status, conditions } };
  await client.update(resources.certificateSigningRequests, next, { subresource });
}
