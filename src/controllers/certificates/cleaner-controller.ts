import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import { inspectCertificate } from '#pki/mod.ts';
import type { CertificateSigningRequest } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { hasCondition } from './request-conditions.ts';

const hourMs = 3_600_000;
/** How long requests stay after each end: to be seen, and for signers that are slow. */
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/** Whether a request has served its purpose, or never will; pure. */
export function isOver(request: CertificateSigningRequest, nowMs: number): boolean {
  const { conditions = [], certificate = '' } = request.status ?? {};
  const isOlder = (time: string | undefined, ageMs: number): boolean =>
    time !== undefined && nowMs - Date.parse(time) > ageMs;
  if (certificate !== '' && hasEnded(certificate, nowMs)) return true;
  for (const { type, lastUpdateTime } of conditions) {
    const isIssued = type === 'Approved' && certificate !== '';
    const isRefused = type === 'Denied' || type === 'Failed';
    if ((isIssued || isRefused) && isOlder(lastUpdateTime, decidedMs)) return true;
  }
  const isUndecided = !hasCondition(request, 'Approved') && !hasCondition(request, 'Denied');
  return isUndecided && isOlder(request.metadata.creationTimestamp, pendingMs);
}

function hasEnded(certificate: string, nowMs: number): boolean {
  try {
    const pem = Buffer.from(certificate, 'base64').toString('utf8');
    return inspectCertificate(pem).notAfterMs < nowMs;
  } catch {
    // A signer of somebody else may put anything here; the other rules still hold.
    return false;
  }
}

/** Removes requests that are over, each hour. */
export const startCertificateCleaner: StartController = async (context) => {
  const { client, informers, clock, log, signal } = context;
  const requests = informers.informer<CertificateSigningRequest>(
    resources.certificateSigningRequests,
  );
  await requests.synced(signal).catch(() => undefined);
  while (!signal.aborted) {
    for (const request of requests.list().filter((one) => isOver(one, clock.now()))) {
      const { name, uid } = request.metadata;
      try {
        await client.delete(resources.certificateSigningRequests, name, { preconditions: { uid } });
      } catch (error) {
        if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) continue;
        log.warning('cannot remove a signing request', { name, error: messageOf(error) });
      }
    }
    await clock.sleep(hourMs, signal).catch(() => undefined);
  }
};
