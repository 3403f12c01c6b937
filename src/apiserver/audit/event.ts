import type { RequestInfo, UserInfo } from '../request.ts';
import type { AuditLevel, AuditStage } from './policy.ts';

/** An Event of audit.k8s.io/v1, its fields in the order in which upstream writes them. */
export interface AuditEvent {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: AuditUser;
  readonly impersonatedUser?: AuditUser;
  readonly authenticationMetadata?: { readonly impersonationConstraint: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: AuditObjectRef;
  readonly responseStatus?: Readonly<Record<string, unknown>> & { readonly code?: number };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AuditUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface AuditObjectRef {
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly resourceVersion?: string;
  readonly subresource?: string;
}

export function auditUser({ name, uid, groups, extra }: UserInfo): AuditUser {
  return {
    ...(name === '' ? {} : { username: name }),
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** What the URL names, completed by the metadata of the body. */
export function objectRef(info: RequestInfo, body: unknown): AuditObjectRef | undefined {
  if (!info.isResourceRequest) return undefined;
  const metadata = metadataOf(body);
  const pick = (own: string, key: string): string =>
    own !== '' ? own : typeof metadata[key] === 'string' ? metadata[key] : '';
  const all = {
    resource: info.resource,
    namespace: pick(info.namespace, 'namespace'),
    name: pick(info.name, 'name'),
    uid: pick('', 'uid'),
    apiGroup: info.group,
    apiVersion: info.version,
    resourceVersion: pick('', 'resourceVersion'),
    subresource: info.subresource,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

function metadataOf(body: unknown): Record<string, unknown> {
  const metadata = (body as { metadata?: unknown } | undefined)?.metadata;
  return typeof metadata === 'object' && metadata !== null
    ? (metadata as Record<string, unknown>)
    : {};
}

/** The object (or the list's items) without managedFields; the original stays as it is. */
export function withoutManagedFields(object: unknown): unknown {
  if (typeof object !== 'object' || object === null) return object;
  const { metadata, items } = object as { metadata?: unknown; items?: unknown };
  let result = object as Record<string, unknown>;
  if (typeof metadata === 'object' && metadata !== null && 'managedFields' in metadata) {
    const { managedFields: _dropped, ...kept } = metadata as Record<string, unknown>;
    result = { ...result, metadata: kept };
  }
  if (Array.isArray(items)) result = { ...result, items: items.map(withoutManagedFields) };
  return result;
}

const statusFields = ['status', 'message', 'reason', 'details'] as const;

/** What is told of the answer at every level: its code, and why it failed. */
export function responseStatus(
  code: number,
  body: unknown,
): Record<string, unknown> & { code: number } {
  const status = (body ?? {}) as Record<string, unknown>;
  if (status['kind'] !== 'Status') return { metadata: {}, code };
  const copied = statusFields
    .filter((name) => status[name] !== undefined)
    .map((name) => [name, status[name]]);
  return { metadata: {}, ...Object.fromEntries(copied), code };
}

/** Addresses of the client: those that proxies name, and the one that it comes from. */
export function sourceIps(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  remoteAddress: string,
): string[] {
  const forwarded = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const real = String(headers['x-real-ip'] ?? '').trim();
  const found = [...forwarded];
  if (real !== '' && !found.includes(real)) found.push(real);
  const remote = remoteAddress.replace(/^::ffff:/, '');
  if (remote !== '' && found.at(-1) !== remote) found.push(remote);
  return found;
}
