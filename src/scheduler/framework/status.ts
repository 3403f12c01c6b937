/** What a plugin says of a pod, or of a pod on a node. Codes as upstream's framework. */
export type StatusCode =
  | 'Success'
  | 'Unschedulable'
  | 'UnschedulableAndUnresolvable'
  | 'Error'
  | 'Wait'
  | 'Skip';

export interface Status {
  readonly code: StatusCode;
  /** User-visible reasons; each counts by itself in the FailedScheduling text. */
  readonly reasons: readonly string[];
  /** Plugin that said it; filled in by the framework. */
  readonly plugin?: string | undefined;
}

/** Shared answer of plugins that agree: undefined means success too. */
export const success: Status = { code: 'Success', reasons: [] };

export const unschedulable = (...reasons: string[]): Status => ({ code: 'Unschedulable', reasons });
export const unresolvable = (...reasons: string[]): Status => ({
  code: 'UnschedulableAndUnresolvable',
  reasons,
});
export const failed = (reason: string): Status => ({ code: 'Error', reasons: [reason] });
export const skip: Status = { code: 'Skip', reasons: [] };

export function isSuccess(status: Status | undefined): boolean {
  return status === undefined || status.code === 'Success';
}
