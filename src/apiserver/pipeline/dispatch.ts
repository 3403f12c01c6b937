import type { ResourceInfo } from '#schema/mod.ts';
import type { PiecePool } from '../answers/piece-pool.ts';
import type { FrameCache } from '../answers/watch-answer.ts';
import { internalError, methodNotAllowed } from '../api-errors.ts';
import type { EncryptionState } from '../encryption/mod.ts';
import type { AdmitConnect, ConnectHandler } from '../connect-hook.ts';
import type { Core } from '../core.ts';
import type { Exchange } from '../http/exchange.ts';
import type { CountWatchEvent } from '../metrics/mod.ts';
import type { RequestInfo, ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { checkMethod, checkRoute } from './check-route.ts';
import { admitConnection } from './connect-admission.ts';
import { answerRead } from './read-answer.ts';
import { answerWrite } from './write-answer.ts';

export interface ResourceDispatch {
  core: Core;
  connect: ConnectHandler | undefined;
  frames: FrameCache;
  pieces: PiecePool;
  /** Asked once for each watch. */
  watchMetrics?: ((info: ResourceInfo) => CountWatchEvent) | undefined;
  /** Told of each request for a deprecated kind. */
  onDeprecated?: ((info: RequestInfo) => void) | undefined;
}

const longRunningSubresources: ReadonlySet<string> = new Set([
  'attach',
  'exec',
  'log',
  'portforward',
  'proxy',
]);

/** Requests without a time limit, which do not count as in flight. */
export function isLongRunning(info: RequestInfo): boolean {
  return (
    info.verb === 'watch' || info.verb === 'proxy' || longRunningSubresources.has(info.subresource)
  );
}

/** Answers a request for a resource with the handler of its verb; returns the HTTP status. */
export async function dispatchResource(
  dispatch: ResourceDispatch,
  exchange: Exchange,
  served: ServedResource,
  context: ResourceRequestContext,
): Promise<number> {
  const { info } = context;
  const { core, connect } = dispatch;
  checkRoute(served, info, exchange.method);
  if (core.encryption !== undefined) refuseUnreadable(core.encryption, served, info);
  const deprecation = served.custom?.deprecationWarning ?? deprecationOf(served.info);
  if (deprecation !== undefined) {
    context.warnings.add(deprecation);
    context.trail?.annotate('k8s.io/deprecated', 'true');
    dispatch.onDeprecated?.(info);
  }
  if (connect?.handles(info) === true) {
    await connect.request({ context, exchange, admit: admitConnect(core, served, context) });
    return 200;
  }
  checkMethod(served, exchange.method, info.verb);
  switch (info.verb) {
    case 'get':
    case 'list':
    case 'watch':
      return await answerRead(dispatch, exchange, served, context);
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
    case 'deletecollection':
      return await answerWrite(dispatch, exchange, served, context);
    default:
      throw methodNotAllowed(served.info, info.verb);
  }
}

/** Objects that cannot be decrypted fail as upstream's do; a list fails for one of them. */
function refuseUnreadable(
  encryption: EncryptionState,
  { cache, info: { namespaced } }: ServedResource,
  info: RequestInfo,
): void {
  if (cache === undefined || (info.verb === 'create' && info.subresource === '')) return;
  const namespace = namespaced ? info.namespace : '';
  const problem =
    info.name === ''
      ? encryption.problemUnder(namespace === '' ? cache.prefix : cache.keyOf(namespace, ''))
      : encryption.problemOf(cache.keyOf(namespace, info.name));
  if (problem !== undefined) throw internalError(problem);
}

/** The admission of a connection, for connect handlers. */
export function admitConnect(
  core: Core,
  served: ServedResource,
  context: ResourceRequestContext,
): AdmitConnect {
  return (options) => admitConnection(core, served, context, options);
}

/** What every request for a deprecated kind is told. */
function deprecationOf({ group, resource }: ResourceInfo): string | undefined {
  if (group !== '') return undefined;
  if (resource === 'endpoints') {
    return 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice';
  }
  if (resource === 'componentstatuses') return 'v1 ComponentStatus is deprecated in v1.19+';
  return undefined;
}
