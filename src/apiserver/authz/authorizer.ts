import type { UserInfo } from '../request.ts';

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
}

export interface AuthorizationRequest {
  readonly user: UserInfo;
  /** Absent for a request to a path that is no resource. */
  readonly resource?: ResourceAttributes | undefined;
  readonly path: string;
  readonly verb: string;
}

export type Decision = 'allow' | 'deny' | 'no-opinion';

/** Authorizers are asked in order; the first decision that is not no-opinion counts. */
export interface Authorizer {
  /**
   * `error`: an authorizer could not decide; what is not allowed then fails instead of being
   * forbidden.
   */
  authorize(
    request: AuthorizationRequest,
  ): Promise<{ decision: Decision; reason: string; error?: string | undefined }>;
}
