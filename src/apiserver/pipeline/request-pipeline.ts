import { messageOf } from '#base/errors.ts';
import { traced, traceMark } from '#base/trace.ts';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerWatchSocket, isWatchSocket } from '../answers/watch-socket.ts';
import { badRequest, requestTimeout, TooBusyError } from '../api-errors.ts';
import type { Authenticated, RequestAuthenticator } from '../authn/mod.ts';
import { impersonatedUser, wantsImpersonation } from '../authn/mod.ts';
import { AuditedExchange } from '../audit/audited-exchange.ts';
import type { Auditor } from '../audit/mod.ts';
import type { RequestAudit } from '../audit/request-audit.ts';
import type { AggregateHook } from '../aggregate-hook.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import type { Core } from '../core.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ResponseRules } from '../http/response-rules.ts';
import type { RequestMetrics } from '../metrics/request-metrics.ts';
import type { PathRouter } from '../path-route.ts';
import type { RequestContext, RequestInfo, ResourceRequestContext, UserInfo } from '../request.ts';
import { RequestTrail } from '../request-trail.ts';
import { anonymousUser } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { decodePath, readRequestInfo } from '../request-info.ts';
import type { Arrival } from './arrival.ts';
import { arrivalOf, signalOf, upgradeArrival } from './arrival.ts';
import { auditFailedLogin, beginAudit } from './audit-step.ts';
import { authorize } from './authorize.ts';
import { admitConnect, dispatchResource, isLongRunning } from './dispatch.ts';
import type { ResourceDispatch } from './dispatch.ts';
import { answerFailure, isExpected, shuttingDown, toStatusError } from './failure-answer.ts';
import { answerPath } from './path-answer.ts';
import { isOutOfScope } from './check-route.ts';
import type { RequestWatchers } from './inside-request.ts';
import { createRequestContext } from './request-context.ts';
import { readTimeout } from './request-deadline.ts';
import type { LimiterTicket, RequestLimiter } from './request-limiter.ts';
import { refuseUpgrade } from './upgrade-answer.ts';

/** Longer ids of clients are cut, as upstream. */
const maxAuditIdLength = 64;

export interface PipelineOptions {
  core: Core;
  authenticator: RequestAuthenticator;
  paths: PathRouter;
  connect: ConnectHandler | undefined;
  aggregate?: AggregateHook | undefined;
  dispatch: ResourceDispatch;
  limiter: RequestLimiter;
  metrics: RequestMetrics;
  auditor?: Auditor | undefined;
  rules?: ResponseRules | undefined;
  /** For requests that are no watch and no connection. */
  requestTimeoutMs: number;
}

/** A request that may go on; `served` is absent for paths that are no resource of this server. */
interface Admitted {
  context: RequestContext;
  served: ServedResource | undefined;
  timeoutMs: number;
}

/** What a request has taken or left behind, however far it came. */
interface Passage {
  readonly trail: RequestTrail;
  exchange: Exchange | undefined;
  info: RequestInfo | undefined;
  auditId: string | undefined;
  ticket: LimiterTicket | undefined;
  audit: RequestAudit | undefined;
  /** The server ended it to protect itself. */
  isTerminated: boolean;
}

/**
 * The way of every request that comes over the network: authenticate, impersonate, limit,
 * authorize, then the handler of its verb. Whatever fails is answered as a Status.
 */
export class RequestPipeline {
  readonly #options: PipelineOptions;
  #isEnding = false;
  #isShutDown = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** The server is about to end: it says so to those who ask for its readiness. */
  announceShutdown(): void {
    this.#isEnding = true;
  }

  /** From now on requests from outside are refused with 503. */
  shutDown(): void {
    this.#isEnding = true;
    this.#isShutDown = true;
  }

  /** For requests from inside, which take a shorter way. */
  get watchers(): RequestWatchers {
    return this.#options;
  }

  get isShuttingDown(): boolean {
    return this.#isEnding;
  }

  /** Answers `exchange`; never rejects. */
  async handle(exchange: Exchange): Promise<void> {
    await this.handleAs(exchange, undefined);
  }

  /** Answers a request of `user`, who needs no credentials. */
  async handleAs(exchange: Exchange, knownUser: UserInfo | undefined): Promise<void> {
    const { core, metrics } = this.#options;
    const startMs = core.clock.monotonicMs();
    const passage = newPassage(exchange);
    let admitted: Admitted | undefined;
    let status = 200;
    try {
      if (knownUser === undefined && this.#isAnsweredBefore(exchange, passage)) return;
      admitted = await this.#admit(arrivalOf(exchange), passage, knownUser);
      status = await this.#answer(passage.exchange ?? exchange, admitted);
    } catch (error) {
      status = await this.#fail(passage.exchange ?? exchange, passage, admitted?.context, error);
    } finally {
      passage.ticket?.release();
      passage.audit?.completed(status);
    }
    if (passage.info === undefined) return;
    const { headers, query } = exchange;
    const measured = { info: passage.info, query, contentType: headers['content-type'] };
    if (admitted?.served !== undefined) {
      const seconds = (core.clock.monotonicMs() - startMs) / 1000;
      metrics.observe(measured, status, seconds, exchange.sentBytes);
    } else if (status === 429) metrics.count(measured, status);
    if (passage.isTerminated) metrics.terminated(measured, status);
  }

  /** Hands a protocol switch to whoever answers it, or refuses it. */
  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { core, connect } = this.#options;
    const passage = newPassage(undefined);
    try {
      const arrival = upgradeArrival(request, socket);
      const { context, served } = await this.#admit(arrival, passage);
      passage.audit?.started(101);
      const backing = this.#options.aggregate?.find(context.info);
      if (backing !== undefined) {
        await backing.upgrade({ context, request, socket, head });
        return;
      }
      const resourceContext = context as ResourceRequestContext;
      if (served !== undefined && isWatchSocket(resourceContext, request)) {
        await answerWatchSocket({ core, served, context: resourceContext, request, socket, head });
        return;
      }
      if (connect === undefined || served === undefined || !connect.handles(context.info)) {
        throw badRequest('Upgrade request required');
      }
      const admit = admitConnect(core, served, resourceContext);
      await connect.upgrade({ context: resourceContext, request, socket, head, admit });
    } catch (error) {
      refuseUpgrade(socket, toStatusError(error));
    } finally {
      passage.ticket?.release();
      const { audit } = passage;
      if (socket.destroyed) audit?.completed(101);
      else socket.once('close', () => audit?.completed(101));
    }
  }

  /** Refusals and answers that need no user. */
  #isAnsweredBefore(exchange: Exchange, { trail }: Passage): boolean {
    const { rules, core } = this.#options;
    if (rules !== undefined) {
      const headers = rules.headersFor(exchange);
      if (headers !== undefined) trail.addHeaders(headers);
      if (rules.wantsGoaway(() => core.random.float())) exchange.goAway();
      if (rules.isPreflight(exchange)) {
        exchange.answer(204, { ...headers }, Buffer.alloc(0));
        return true;
      }
    }
    if (this.#isShutDown) throw shuttingDown();
    return false;
  }

  async #admit(arrival: Arrival, passage: Passage, knownUser?: UserInfo): Promise<Admitted> {
    const { core, limiter } = this.#options;
    const { headers, query } = arrival;
    if (decodePath(arrival.path) === undefined) {
      throw badRequest(`invalid URL escape in ${JSON.stringify(arrival.path)}`);
    }
    const info = readRequestInfo(arrival.method, arrival.path, query);
    passage.info = info;
    const isLong = isLongRunning(info);
    const timeoutMs = isLong ? 0 : readTimeout(query, this.#options.requestTimeoutMs);
    const auditId = auditIdOf(headers) ?? core.random.uuid();
    passage.auditId = auditId;
    const found: Authenticated =
      knownUser === undefined
        ? await this.#authenticate(arrival, info, auditId)
        : { user: knownUser };
    let { user } = found;
    if (this.#options.auditor !== undefined) {
      await this.#audit(this.#options.auditor, { arrival, info, user, auditId }, passage);
      for (const [key, value] of Object.entries(found.auditAnnotations ?? {})) {
        passage.trail.annotate(key, value);
      }
    }
    if (wantsImpersonation(headers)) {
      const { authorizer } = core;
      const other = await impersonatedUser({ headers, user, authorizer, info });
      user = other.user;
      passage.audit?.impersonate(user, other.constraint);
    }
    const served = info.isResourceRequest ? core.registry.byResource(info) : undefined;
    const context = createRequestContext({
      info,
      user,
      resource: served?.info,
      query,
      userAgent: headers['user-agent'] ?? '',
      random: core.random,
      signal: arrival.signal,
      auditId,
      trail: passage.trail,
    });
    for (const text of found.warnings ?? []) context.warnings.add(text);
    if (knownUser === undefined && (!isLong || info.verb === 'watch')) {
      const entering = limiter.enter(context, served, timeoutMs);
      const ticket = entering instanceof Promise ? await entering : entering;
      passage.ticket = ticket;
      passage.trail.onBegun = () => ticket.release();
    }
    await traced('write.authorize', {}, () => authorize(core.authorizer, context));
    return { context, served, timeoutMs };
  }

  async #authenticate(
    arrival: Arrival,
    info: RequestInfo,
    auditId: string,
  ): Promise<Authenticated> {
    const { authenticator, auditor, core } = this.#options;
    const { headers, peerCertificate, remoteAddress } = arrival;
    try {
      return await traced('write.authenticate', {}, () =>
        authenticator.authenticate({
          headers,
          peerCertificate,
          remoteAddress,
          path: arrival.path,
        }),
      );
    } catch (error) {
      if (auditor !== undefined) {
        auditFailedLogin(auditor, { arrival, info, auditId, nowMs: core.clock.now() });
      }
      throw error;
    }
  }

  async #audit(
    auditor: Auditor,
    of: { arrival: Arrival; info: RequestInfo; user: UserInfo; auditId: string },
    passage: Passage,
  ): Promise<void> {
    const audit = await beginAudit(auditor, { ...of, nowMs: this.#options.core.clock.now() });
    if (audit === undefined) return;
    passage.audit = audit;
    passage.trail.audit = audit;
    const { exchange } = passage;
    if (exchange === undefined) return;
    passage.exchange = new AuditedExchange(exchange, audit, isLongRunning(of.info));
  }

  async #answer(exchange: Exchange, { context, served, timeoutMs }: Admitted): Promise<number> {
    const { core, paths, dispatch, metrics } = this.#options;
    const { info } = context;
    const backing = this.#options.aggregate?.find(info);
    if (backing !== undefined) return await backing.request({ context, exchange });
    if (served === undefined || isOutOfScope(served, info))
      return await answerPath(paths, exchange, context, core.registry);
    const resourceContext = context as ResourceRequestContext;
    if (isLongRunning(info)) {
      const ended = metrics.longRunning({ info, query: exchange.query });
      try {
        return await dispatchResource(dispatch, exchange, served, resourceContext);
      } finally {
        ended();
      }
    }
    const work = dispatchResource(dispatch, exchange, served, resourceContext);
    if (info.verb === 'get' || info.verb === 'list') {
      // reads are bounded by themselves
      return timeoutMs === this.#options.requestTimeoutMs
        ? await work
        : await this.#inTime(work, timeoutMs);
    }
    traceMark('write.arrive', () => ({ key: info.path }));
    const status = await this.#inTime(work, timeoutMs);
    traceMark('write.answer', () => ({ key: info.path, detail: String(status) }));
    return status;
  }

  /** Gives a request up, but not its effect, when it takes too long: 504. */
  async #inTime(work: Promise<number>, timeoutMs: number): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#options.core.clock.after(timeoutMs, () => {
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
    passage: Passage,
    context: RequestContext | undefined,
    error: unknown,
  ): Promise<number> {
    const { core } = this.#options;
    const failure = toStatusError(error);
    passage.isTerminated = error instanceof TooBusyError || failure.httpCode === 504;
    if (!isExpected(error)) passage.audit?.panicked(messageOf(error));
    if (failure.reason === 'InternalError' || failure.httpCode === 500) {
      core.log.error('Request failed', { path: exchange.path, error: messageOf(error) });
    }
    return await answerFailure(
      exchange,
      error,
      () => context ?? this.#contextOf(exchange, passage),
    );
  }

  /** For the answer to a request that failed before it was understood. */
  #contextOf(exchange: Exchange, passage: Passage): RequestContext {
    return createRequestContext({
      info: readRequestInfo(exchange.method, exchange.path, exchange.query),
      user: anonymousUser,
      query: exchange.query,
      userAgent: exchange.headers['user-agent'] ?? '',
      random: this.#options.core.random,
      signal: () => signalOf(exchange),
      auditId: passage.auditId ?? auditIdOf(exchange.headers),
      trail: passage.trail,
    });
  }
}

function newPassage(exchange: Exchange | undefined): Passage {
  const trail = new RequestTrail();
  return {
    trail,
    exchange,
    info: undefined,
    auditId: undefined,
    ticket: undefined,
    audit: undefined,
    isTerminated: false,
  };
}

/** The id that a client gives its request, unless it is absurdly long. */
function auditIdOf(headers: Exchange['headers']): string | undefined {
  const id = headers['audit-id'];
  return typeof id === 'string' && id !== '' ? id.slice(0, maxAuditIdLength) : undefined;
}
