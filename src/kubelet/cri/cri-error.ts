import { K3tsError } from '#base/errors.ts';

/** The gRPC codes that runtimes answer with and the kubelet asks for. */
export const grpcCodes = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  unimplemented: 12,
  unavailable: 14,
} as const;

const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** A CRI call that failed. The message has the form of Go's gRPC errors, as users know it. */
export class CriError extends K3tsError {
  readonly rpc: string;
  readonly grpcCode: number;
  /** The runtime's own text. */
  readonly details: string;

  constructor(init: { rpc: string; grpcCode: number; details: string; cause?: unknown }) {
    const name = codeNames[init.grpcCode] ?? String(init.grpcCode);
    super('CriError', `rpc error: code = ${name} desc = ${init.details}`, { cause: init.cause });
    this.name = 'CriError';
    this.rpc = init.rpc;
    this.grpcCode = init.grpcCode;
    this.details = init.details;
  }
}

/** Whether `error` is a CRI failure with this gRPC code. */
export function hasGrpcCode(error: unknown, code: number): boolean {
  return error instanceof CriError && error.grpcCode === code;
}

/** What containerd says while it starts and looks at what it has. */
const startingText = 'server is not initialized yet';

/** Whether an error, or what caused it, is that the runtime does not answer at the moment. */
export function isRuntimeAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (hasGrpcCode(cause, grpcCodes.unavailable)) return true;
    if (cause instanceof CriError && cause.details === startingText) return true;
  }
  return false;
}
