import type { GroupVersionKind, UnknownObject } from '#schema/mod.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { Reinvocation } from './matching/reinvocation.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One write on its way through admission. */
export interface AdmissionAttributes {
  readonly context: ResourceRequestContext;
  readonly operation: AdmissionOperation;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** New state; absent for DELETE. Mutating plugins may change it in place or replace it. */
  object: UnknownObject | undefined;
  /** Stored state, read-only; absent for CREATE. */
  readonly oldObject: UnknownObject | undefined;
  /** Options of the request: DeleteOptions, PodExecOptions, … */
  readonly options: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
  /** Kind of `object` where it is not the one of the resource or subresource. */
  readonly kind?: GroupVersionKind | undefined;
  /** Set by the first plugin that may want a second round of mutations; see AdmissionChain. */
  reinvocation?: Reinvocation | undefined;
}

/**
 * One admission plugin under its upstream name. Both methods throw an ApiStatusError to refuse;
 * `handles` is asked first and must be cheap.
 */
export interface AdmissionPlugin {
  readonly name: string;
  handles(attributes: AdmissionAttributes): boolean;
  mutate?(attributes: AdmissionAttributes): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}
