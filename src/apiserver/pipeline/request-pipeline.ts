import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { traced, traceMark } from '#base/trace.ts';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { sendValue } from '../answers/object-answer.ts';
import { badRequest, internalError, requestTimeout, serviceUnavailable } from '../api-errors.ts';
import type { RequestAuthenticator } from '../authn/mod.ts';
import { impersonatedUser, wantsImpersonation } from '../authn/mod.ts';
import type { AggregateHook } from '../aggregate-hook.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import type { Core } from '../core.ts';
import type { Exchange } from '../http/exchange.ts';
import { splitTarget } from '../http/exchange.ts';
import { peerCertificateOf } from '../http/peer-certificate.ts';
import type { RequestMetrics } from '../metrics/request-metrics.ts';
import { negotiateForm } from '../negotiate.ts';
import type { PathRouter } from '../path-route.ts';
import type { RequestContext, ResourceRequestContext, UserInfo } from '../request.ts';
import { anonymousUser } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { decodePath, readRequestInfo } from '../request-info.ts';
import { authorize } from './authorize.ts';
import { admitConnect, dispatchResource, isLongRunning } from './dispatch.ts';
import type { ResourceDispatch } from './dispatch.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import { answerPath } from './path-answer.ts';
import { createRequestContext } from './request-context.ts';
import { refuseUpgrade } from './upgrade-answer.ts';

/** Upstream's limit for requests that are no watch and no connection. */
const requestTimeoutMs = 60_000;

export interface PipelineOptions {
  core: Core;
  authenticator: RequestAuthenticator;
  paths: PathRouter;
  connect: ConnectHandler | undefined;
  aggregate?: AggregateHook | undefined;
  dispatch: ResourceDispatch;
  inFlight: InFlightLimit;
  metrics: RequestMetrics;
}

/** Headers and connection of a request, whatever carries it. */
interface Arrival {
  method: string;
  path: string;
  query: string;
  headers: Exchange['headers'];
  peerCertificate: Buffer | undefined;
  remoteAddress: string;
  signal: () => AbortSignal;
}

/** A request that may go on; `served` is absent for paths that are no resource of this server. */
interface Admitted {
  context: RequestContext;
  served: ServedResource | undefined;
}

/**
 * The way of every request that comes over the network: authenticate, impersonate, limit,
 * authorize, then the handler of its verb. Whatever fails is answered as a Status.
 */
export class RequestPipeline {
  readonly #options: PipelineOptions;
  #isShuttingDown = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** From now on requests from outside are refused with 503. */
  shutDown(): void {
    this.#isShuttingDown = true;
  }

  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** Answers `exchange`; never rejects. */
  async handle(exchange: Exchange): Promise<void> {
    await this.handleAs(exchange, undefined);
  }

  /** Answers a request of `user`, who needs no credentials. */
  async handleAs(exchange: Exchange, knownUser: UserInfo | undefined): Promise<void> {
    const { core, metrics } = this.#options;
    const startMs = core.clock.monotonicMs();
    let admitted: Admitted | undefined;
    let status = 200;
    try {
      if (this.#isShuttingDown && knownUser === undefined) throw shuttingDown();
      const arrival = { ...arrivalOf(exchange), signal: () => signalOf(exchange) };
      admitted = await this.#admit(arrival, knownUser);
      status = await this.#answer(exchange, admitted);
    } catch (error) {
      status = await this.#fail(exchange, admitted?.context, error);
    }
    if (admitted?.served === undefined) return;
    const seconds = (core.clock.monotonicMs() - startMs) / 1000;
    metrics.observe(admitted.context.info, status, seconds);
  }

  /** Hands a protocol switch to whoever answers it, or refuses it. */
  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { core, connect } = this.#options;
    try {
      const { path, query } = splitTarget(request.url ?? '/');
      const { context, served } = await this.#admit({
        method: request.method ?? 'GET',
        path,
        query,
        headers: request.headers,
        peerCertificate: peerCertificateOf(request.socket),
        remoteAddress: request.socket.remoteAddress ?? '',
        signal: () => signalOfSocket(socket),
      });
      const backing = this.#options.aggregate?.find(context.info);
      if (backing !== undefined) {
        await backing.upgrade({ context, request, socket, head });
        return;
      }
      if (connect === undefined || served === undefined || !connect.handles(context.info)) {
        throw badRequest('Upgrade request required');
      }
      const resourceContext = context as ResourceRequestContext;
      const admit = admitConnect(core, served, resourceContext);
      await connect.upgrade({ context: resourceContext, request, socket, head, admit });
    } catch (error) {
      refuseUpgrade(socket, toStatusError(error));
    }
  }

  async #admit(arrival: Arrival, knownUser?: UserInfo): Promise<Admitted> {
    const { core, authenticator } = this.#options;
    const { headers } = arrival;
    if (decodePath(arrival.path) === undefined) {
      throw badRequest(`invalid URL escape in ${JSON.stringify(arrival.path)}`);
    }
    const info = readRequestInfo(arrival.method, arrival.path, arrival.query);
    const credentials = {
      headers,
      peerCertificate: arrival.peerCertificate,
      remoteAddress: arrival.remoteAddress,
    };
    let user = knownUser;
    if (user === undefined) {
      const authenticated = await traced('write.authenticate', {}, () =>
        authenticator.authenticate(credentials),
      );
      user = authenticated.user;
    }
    if (wantsImpersonation(headers)) {
      user = await impersonatedUser({ headers, user, authorizer: core.authorizer });
    }
    const auditId = headers['audit-id'];
    const served = info.isResourceRequest ? core.registry.byResource(info) : undefined;
    const context = createRequestContext({
      info,
      user,
      resource: served?.info,
      query: arrival.query,
      userAgent: headers['user-agent'] ?? '',
      random: core.random,
      signal: arrival.signal,
      auditId: typeof auditId === 'string' ? auditId : undefined,
    });
    await traced('write.authorize', {}, () => authorize(core.authorizer, context));
    return { context, served };
  }

  async #answer(exchange: Exchange, { context, served }: Admitted): Promise<number> {
    const { core, paths, inFlight, dispatch } = this.#options;
    const { info } = context;
    const backing = this.#options.aggregate?.find(info);
    if (backing !== undefined) return await backing.request({ context, exchange });
    if (served === undefined) return await answerPath(paths, exchange, context, core.registry);
    const resourceContext = context as ResourceRequestContext;
    if (isLongRunning(info))
      return await dispatchResource(dispatch, exchange, served, resourceContext);
    const release = inFlight.enter(info.verb);
    try {
      if (info.verb === 'get' || info.verb === 'list') {
        return await dispatchResource(dispatch, exchange, served, resourceContext);
      }
      traceMark('write.arrive', () => ({ key: info.path }));
      const status = await this.#inTime(
        dispatchResource(dispatch, exchange, served, resourceContext),
      );
      traceMark('write.answer', () => ({ key: info.path, detail: String(status) }));
      return status;
    } finally {
      release();
    }
  }

  /** Gives a write up, but not its effect, when it takes too long: 504. */
  async #inTime(work: Promise<number>): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#options.core.clock.after(requestTimeoutMs, () => {
      reject(requestTimeout('request did not complete within the allotted timeout'));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      timer.cancel();
    }
  }

  async #fail(
    exchange: Exchange,
    context: RequestContext | undefined,
    error: unknown,
  ): Promise<number> {
    const { core } = this.#options;
    const failure = toStatusError(error);
    if (failure.reason === 'InternalError' || failure.httpCode === 500) {
      core.log.error('Request failed', { path: exchange.path, error: messageOf(error) });
    }
    if (exchange.isClosed) return failure.httpCode;
    if (exchange.isAnswered) {
      exchange.destroy();
      return failure.httpCode;
    }
    const shown =
      context ??
      createRequestContext({
        info: readRequestInfo(exchange.method, exchange.path, exchange.query),
        user: anonymousUser,
        query: exchange.query,
        userAgent: exchange.headers['user-agent'] ?? '',
        random: core.random,
        signal: () => signalOf(exchange),
      });
    const options = { status: failure.httpCode, form: errorForm(exchange) };
    await sendValue(exchange, shown, failure.toStatus(), options);
    return failure.httpCode;
  }
}

function shuttingDown(): ApiStatusError {
  const { httpCode, reason, message } = serviceUnavailable('the server is shutting down');
  return new ApiStatusError({ httpCode, reason, message, details: { retryAfterSeconds: 1 } });
}

function errorForm(exchange: Exchange): ReturnType<typeof negotiateForm> {
  try {
    const { media } = negotiateForm(exchange.headers.accept, ['Table']);
    return { media, as: undefined };
  } catch {
    return { media: 'json', as: undefined };
  }
}

function toStatusError(error: unknown): ApiStatusError {
  if (error instanceof ApiStatusError) return error;
  return internalError(messageOf(error), error);
}

function arrivalOf(exchange: Exchange): Omit<Arrival, 'signal'> {
  return {
    method: exchange.method,
    path: exchange.path,
    query: exchange.query,
    headers: exchange.headers,
    peerCertificate: exchange.peerCertificate,
    remoteAddress: exchange.remoteAddress,
  };
}

function signalOf(exchange: Exchange): AbortSignal {
  const controller = new AbortController();
  exchange.onClose(() => controller.abort());
  return controller.signal;
}

function signalOfSocket(socket: Duplex): AbortSignal {
  const controller = new AbortController();
  socket.once('close', () => controller.abort());
  return controller.signal;
}
