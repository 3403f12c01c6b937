import type { Random } from '#base/random.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { RequestTrail } from '../request-trail.ts';
import type { RequestContext, RequestInfo, ResourceRequestContext, UserInfo } from '../request.ts';

const noQuery: URLSearchParams = new URLSearchParams();

export interface RequestContextInit {
  info: RequestInfo;
  user: UserInfo;
  query: URLSearchParams | string;
  userAgent: string;
  random: Random;
  /** Called at most once, when somebody wants to know of the client's leaving. */
  signal: () => AbortSignal;
  auditId?: string | undefined;
  trail?: RequestTrail | undefined;
  resource?: ResourceInfo | undefined;
}

/** The state of a request; what few requests need is made at first use. */
class RequestState implements RequestContext {
  readonly info: RequestInfo;
  user: UserInfo;
  readonly userAgent: string;
  readonly trail: RequestTrail | undefined;
  readonly resource: ResourceInfo | undefined;
  #auditId: string | undefined;
  readonly #random: Random;
  #query: URLSearchParams | string;
  #warnings: Set<string> | undefined;
  #signal: AbortSignal | undefined;
  readonly #makeSignal: () => AbortSignal;

  constructor(init: RequestContextInit) {
    this.info = init.info;
    this.user = init.user;
    this.userAgent = init.userAgent;
    this.#auditId = init.auditId;
    this.#random = init.random;
    this.trail = init.trail;
    this.resource = init.resource;
    this.#query = init.query === '' ? noQuery : init.query;
    this.#makeSignal = init.signal;
  }

  get auditId(): string {
    this.#auditId ??= this.#random.uuid();
    return this.#auditId;
  }

  get query(): URLSearchParams {
    if (typeof this.#query === 'string') this.#query = new URLSearchParams(this.#query);
    return this.#query;
  }

  get warnings(): Set<string> {
    this.#warnings ??= new Set();
    return this.#warnings;
  }

  get auditAnnotations(): Map<string, string> | undefined {
    return this.trail?.audit?.annotations;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }
}

/** The context of a request; with a `resource` it is a ResourceRequestContext. */
export function createRequestContext(init: RequestContextInit): RequestContext {
  return new RequestState(init);
}

export function createResourceContext(
  init: RequestContextInit & { resource: ResourceInfo },
): ResourceRequestContext {
  return new RequestState(init) as RequestState & { resource: ResourceInfo };
}
