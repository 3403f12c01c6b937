import { K3tsError } from './errors.ts';

/** One entry of Status.details.causes; `reason` is the cause type, as FieldValueRequired. */
export interface StatusCause {
  reason?: string | undefined;
  message?: string | undefined;
  field?: string | undefined;
}

export interface StatusDetails {
  name?: string | undefined;
  group?: string | undefined;
  kind?: string | undefined;
  uid?: string | undefined;
  causes?: StatusCause[] | undefined;
  retryAfterSeconds?: number | undefined;
}

/** metav1.Status as it goes over the wire. */
export interface StatusBody {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** What answers the delete of an object that is gone; upstream's has no code either. */
export type DeletedStatus = Omit<StatusBody, 'code'>;

/** A failure that the API answers with: HTTP code, reason and details of a metav1.Status. */
export class ApiStatusError extends K3tsError {
  readonly reason: string;
  readonly httpCode: number;
  readonly details: StatusDetails | undefined;
  /** A continue token, sent with Expired so that a client can go on with an inconsistent list. */
  readonly continueToken: string | undefined;

  constructor(init: {
    httpCode: number;
    reason: string;
    message: string;
    details?: StatusDetails | undefined;
    continueToken?: string | undefined;
    cause?: unknown;
  }) {
    super(init.reason, init.message, { cause: init.cause });
    this.name = 'ApiStatusError';
    this.reason = init.reason;
    this.httpCode = init.httpCode;
    this.details = init.details;
    this.continueToken = init.continueToken;
  }

  toStatus(): StatusBody {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.httpCode,
    };
  }

  /** The error that a Status received from an API server stands for. */
  static fromStatus(status: Partial<StatusBody>, httpCode: number): ApiStatusError {
    return new ApiStatusError({
      httpCode: status.code ?? httpCode,
      reason: status.reason ?? '',
      message: status.message ?? `the server answered with HTTP code ${httpCode}`,
      details: status.details,
      continueToken: status.metadata?.continue,
    });
  }
}

/** Whether `error` is an API failure with this reason (NotFound, Conflict, …). */
export function hasReason(error: unknown, reason: string): boolean {
  return error instanceof ApiStatusError && error.reason === reason;
}
