import type { FieldError, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { DeleteOptions } from '../handlers/delete-options.ts';
import type { ResourceRequestContext } from '../request.ts';

/** The write that a hook takes part in. */
export interface HookScope {
  readonly context: ResourceRequestContext;
  readonly info: ResourceInfo;
  readonly subresource: string;
  readonly dryRun: boolean;
  readonly nowMs: number;
}

/** Gives back what a hook reserved; called when the write does not come to pass. */
export type Undo = () => Promise<void> | void;

type HookResult = Promise<Undo | undefined> | Undo | undefined | void;

/**
 * What one kind needs beyond the rules that tables can say, as upstream's registries do it. Hooks
 * change the fresh object in place; old objects are shared and read-only. They run after mutating
 * admission and the strategy, before validation.
 */
export interface KindHooks {
  beforeCreate?(object: UnknownObject, scope: HookScope): HookResult;
  beforeUpdate?(object: UnknownObject, old: UnknownObject, scope: HookScope): HookResult;
  /** What is wrong with an object in which the rules of the schema module find nothing. */
  validate?(
    object: UnknownObject,
    old: UnknownObject | undefined,
    scope: HookScope,
  ): readonly FieldError[];
  /** The object is gone from the store. */
  afterDelete?(object: UnknownObject, scope: HookScope): Promise<void> | void;
  /** The object was created or updated for good; the answer waits, and must not fail any more. */
  afterWrite?(
    object: UnknownObject,
    old: UnknownObject | undefined,
    scope: HookScope,
  ): Promise<void> | void;
  /**
   * Kinds that are shut down before they go: how long to wait, given what the request asked for.
   * 0 deletes at once. Kinds without this are never waited for.
   */
  gracePeriodSeconds?(object: UnknownObject, requested: number | undefined): number;
  /**
   * Marks a fresh copy as being deleted, beyond deletionTimestamp. True when the object has to stay
   * although nothing in its metadata keeps it (a namespace with content).
   */
  beginDelete?(object: UnknownObject): boolean;
  /** Whether the answer to a delete at once is the object instead of a Status. */
  readonly returnsDeleted?: boolean;
  /** Texts for Warning headers. */
  warnings?(object: UnknownObject, old: UnknownObject | undefined): readonly string[];
  /** The same for a write of the status. */
  statusWarnings?(object: UnknownObject): readonly string[];
  /** The same for a delete, or a delete of a collection. */
  deleteWarnings?(options: DeleteOptions): readonly string[];
}

/** Hooks by `resource` or `resource.group`. */
export type KindHookTable = Readonly<Record<string, KindHooks>>;
