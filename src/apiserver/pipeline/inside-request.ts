import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { internalError } from '../api-errors.ts';
import type { Auditor } from '../audit/mod.ts';
import type { RequestAudit } from '../audit/request-audit.ts';
import type { Core } from '../core.ts';
import type { RequestMetrics } from '../metrics/request-metrics.ts';
import type { RequestInfo, ResourceRequestContext, UserInfo } from '../request.ts';
import { RequestTrail } from '../request-trail.ts';
import type { ServedResource } from '../resource-registry.ts';
import { authorizationRequest, authorize } from './authorize.ts';
import { createResourceContext } from './request-context.ts';

const loopback = ['127.0.0.1'];
const applyType = 'application/apply-patch+yaml';

/** What watches over every request, from whichever side it comes. */
export interface RequestWatchers {
  readonly metrics: RequestMetrics;
  readonly auditor?: Auditor | undefined;
}

/** A request of a component in this process. */
export interface InsideRequest {
  readonly served: ServedResource;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** The component is a part of this server: its permissions are told in the audit, not asked. */
  readonly isTrusted: boolean;
  readonly userAgent: string;
  readonly isDryRun?: boolean | undefined;
  readonly isApply?: boolean | undefined;
  /** What a client would have sent as the body. */
  readonly body?: unknown;
  readonly signal: () => AbortSignal;
}

/** A request that may go on; `succeeded` or `failed` is called at its end; what
 * comes after that is not told. */
export interface InsidePassage {
  readonly context: ResourceRequestContext;
  /** A watch has begun. */
  started(): void;
  /** `answer` is what a client would get as the body; asked for only when it is told. */
  succeeded(code: number, answer?: () => unknown): void;
  /** Returns the error, which is to be thrown. */
  failed(error: unknown): unknown;
}

/**
 * Begins a request from inside: audit, then authorization, as for one that comes over the network.
 * Throws Forbidden. Without an audit policy the audit costs nothing.
 */
export async function beginInside(
  core: Core,
  { metrics, auditor }: RequestWatchers,
  request: InsideRequest,
): Promise<InsidePassage> {
  const { info, user, served, userAgent, isTrusted } = request;
  const query = request.isDryRun === true ? 'dryRun=All' : '';
  const measured = { info, query, contentType: request.isApply === true ? applyType : undefined };
  const startMs = core.clock.monotonicMs();
  const auditId = auditor === undefined ? undefined : core.random.uuid();
  const audit = auditor?.begin({
    auditId: auditId ?? '',
    uri: uriOf(info, query),
    user,
    info,
    sourceIps: loopback,
    userAgent,
    receivedMs: core.clock.now(),
  });
  const trail = audit === undefined ? undefined : new RequestTrail();
  if (trail !== undefined) trail.audit = audit;
  const context = createResourceContext({
    info,
    user,
    query,
    userAgent,
    random: core.random,
    signal: request.signal,
    resource: served.info,
    auditId,
    trail,
  });
  let endLong: (() => void) | undefined;
  let isEnded = false;
  const count = (code: number): void => {
    isEnded = true;
    endLong?.();
    metrics.observe(measured, code, (core.clock.monotonicMs() - startMs) / 1000, undefined);
  };
  const passage: InsidePassage = {
    context,
    started() {
      endLong = metrics.longRunning(measured);
      audit?.started(200);
    },
    succeeded(code, answer) {
      if (isEnded) return;
      if (audit !== undefined) {
        if (answer !== undefined && audit.wantsAnswer) audit.noteResult(code, answer());
        audit.completed(code);
      }
      count(code);
    },
    failed(error) {
      const code = error instanceof ApiStatusError ? error.httpCode : 500;
      if (audit !== undefined) tellFailure(audit, code, error);
      count(code);
      return error;
    },
  };
  await waitForBackend(auditor, audit, request.body);
  try {
    if (!isTrusted) await authorize(core.authorizer, context);
    else if (audit !== undefined) await tellPermission(core, context);
  } catch (error) {
    throw passage.failed(error);
  }
  return passage;
}

async function waitForBackend(
  auditor: Auditor | undefined,
  audit: RequestAudit | undefined,
  body: unknown,
): Promise<void> {
  if (audit === undefined) return;
  try {
    await audit.received();
  } catch (error) {
    auditor?.countRejected();
    throw internalError(`failed to write audit event: ${messageOf(error)}`, error);
  }
  if (body !== undefined) audit.noteRequest(body);
}

/** Notes the role that lets a component do what it does; it is not held to its roles. */
async function tellPermission(core: Core, context: ResourceRequestContext): Promise<void> {
  const { decision, reason } = await core.authorizer.authorize(authorizationRequest(context));
  const audit = context.trail?.audit;
  audit?.annotate('authorization.k8s.io/decision', 'allow');
  audit?.annotate('authorization.k8s.io/reason', decision === 'allow' ? reason : '');
}

function tellFailure(audit: RequestAudit, code: number, error: unknown): void {
  if (error instanceof ApiStatusError) {
    audit.noteResult(code, error.toStatus());
    audit.completed(code);
  } else audit.panicked(messageOf(error));
}

/** The path that a client of the network would have asked for. */
function uriOf(info: RequestInfo, query: string): string {
  const { group, version, namespace, resource, name, subresource, verb } = info;
  const parts = group === '' ? ['/api', version] : ['/apis', group, version];
  if (namespace !== '' && resource !== 'namespaces') parts.push('namespaces', namespace);
  parts.push(resource);
  if (name !== '') parts.push(name);
  if (subresource !== '') parts.push(subresource);
  const parameters = [
    ...(verb === 'watch' ? ['watch=true'] : []),
    ...(query === '' ? [] : [query]),
  ];
  return parts.join('/') + (parameters.length === 0 ? '' : `?${parameters.join('&')}`);
}
