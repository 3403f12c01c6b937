import type { ResourceInfo } from '#schema/mod.ts';
import type { RequestTrail } from './request-trail.ts';

/** Who asks. Filled by authentication, replaced by impersonation. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export const anonymousUser: UserInfo = {
  name: 'system:anonymous',
  groups: ['system:unauthenticated'],
};

/** What is asked, read from method, path and query, as upstream's RequestInfo. */
export interface RequestInfo {
  readonly isResourceRequest: boolean;
  /** get list watch create update patch delete deletecollection; lower-cased method otherwise. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Rest of the path after the subresource: the path behind proxy. */
  readonly rest: string;
}

/** State of one request on its way through the pipeline. */
export interface RequestContext {
  readonly info: RequestInfo;
  user: UserInfo;
  readonly query: URLSearchParams;
  /** Warning headers to send; equal texts once. */
  readonly warnings: Set<string>;
  readonly userAgent: string;
  readonly signal: AbortSignal;
  /** Set by the audit step and carried into annotations of admission. */
  readonly auditId: string;
  /** Headers and audit notes that steps leave behind; requests in this process have none. */
  readonly trail?: RequestTrail | undefined;
}

/** A request for a resource that the server serves. */
export interface ResourceRequestContext extends RequestContext {
  readonly resource: ResourceInfo;
}
