import { internalError } from '../api-errors.ts';
import { messageOf } from '#base/errors.ts';
import type { Auditor } from '../audit/mod.ts';
import type { RequestAudit } from '../audit/request-audit.ts';
import { sourceIps } from '../audit/event.ts';
import type { RequestInfo, UserInfo } from '../request.ts';
import type { Arrival } from './arrival.ts';

interface Audited {
  arrival: Arrival;
  info: RequestInfo;
  user: UserInfo;
  auditId: string;
  nowMs: number;
}

/** Begins the audit of a request whose user is known; waits when the backend asks for it. */
export async function beginAudit(
  auditor: Auditor,
  audited: Audited,
): Promise<RequestAudit | undefined> {
  const audit = startAudit(auditor, audited);
  const wait = audit?.received();
  if (wait === undefined) return audit;
  try {
    await wait;
  } catch (error) {
    auditor.countRejected();
    throw internalError(`failed to write audit event: ${messageOf(error)}`, error);
  }
  return audit;
}

/** Tells of a request that nobody could be named for. */
export function auditFailedLogin(auditor: Auditor, audited: Omit<Audited, 'user'>): void {
  const audit = startAudit(auditor, { ...audited, user: { name: '', groups: [] } });
  audit?.refused(401, loginMessage(audited.arrival));
}

function startAudit(
  auditor: Auditor,
  { arrival, info, user, auditId, nowMs }: Audited,
): RequestAudit | undefined {
  const { path, query, headers } = arrival;
  return auditor.begin({
    auditId,
    uri: query === '' ? path : `${path}?${query}`,
    user,
    info,
    sourceIps: sourceIps(headers, arrival.remoteAddress),
    userAgent: headers['user-agent'] ?? '',
    receivedMs: nowMs,
  });
}

function loginMessage({ headers, peerCertificate }: Arrival): string {
  const tried: string[] = [];
  const authorization = headers.authorization ?? '';
  if (authorization.startsWith('Basic ')) tried.push('basic');
  if (authorization.startsWith('Bearer ')) tried.push('bearer');
  if (peerCertificate !== undefined) tried.push('x509');
  return tried.length === 0
    ? 'Authentication failed, no credentials provided'
    : `Authentication failed, attempted: ${tried.join(', ')}`;
}
