import type { DeletedStatus } from '#base/api-status-error.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

/** A list as the API answers it; items carry apiVersion and kind. Shared and read-only. */
export interface ObjectList<T extends KubeObject> {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string | undefined;
    readonly remainingItemCount?: number | undefined;
  };
  readonly items: readonly T[];
}

export interface GetOptions {
  namespace?: string | undefined;
  resourceVersion?: string | undefined;
  /** `status`, `scale`, … */
  subresource?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** Absent for all namespaces, and for cluster-scoped resources. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  signal?: AbortSignal | undefined;
}

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Events after this version; from list or a bookmark. */
  resourceVersion?: string | undefined;
  allowWatchBookmarks?: boolean | undefined;
  sendInitialEvents?: boolean | undefined;
  timeoutSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A change. ERROR ends the watch and is thrown as ApiStatusError instead of handed out. */
export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

export interface WriteOptions {
  namespace?: string | undefined;
  subresource?: string | undefined;
  fieldManager?: string | undefined;
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface DeleteOptions {
  namespace?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  preconditions?: { uid?: string | undefined; resourceVersion?: string | undefined } | undefined;
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export type Patch =
  | { type: 'json'; body: readonly object[] }
  | { type: 'merge'; body: object }
  | { type: 'strategic'; body: object }
  | { type: 'apply'; body: object; force?: boolean };

/**
 * The only way to the API for everything above it: in process or over HTTPS, with the same pipeline
 * behind both. Failures are ApiStatusError. Objects handed out are shared and read-only.
 */
export interface Client {
  get<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    options?: GetOptions,
  ): Promise<T>;
  list<T extends KubeObject>(
    resource: GroupVersionResource,
    options?: ListOptions,
  ): Promise<ObjectList<T>>;
  /** Events in order; ends normally when the server's timeout passes or the signal is aborted. */
  watch<T extends KubeObject>(
    resource: GroupVersionResource,
    options?: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;
  /** `name` is needed with a subresource only (binding, eviction, token). */
  create<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options?: WriteOptions & { name?: string | undefined },
  ): Promise<T>;
  /** Replaces the object; its resourceVersion, when set, must be the stored one. */
  update<T extends KubeObject>(
    resource: GroupVersionResource,
    object: T,
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: GroupVersionResource,
    name: string,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T>;
  /** The deleted object, its last state with a deletionTimestamp, or a Status. */
  delete(
    resource: GroupVersionResource,
    name: string,
    options?: DeleteOptions,
  ): Promise<KubeObject | DeletedStatus>;
  deleteCollection(
    resource: GroupVersionResource,
    options?: DeleteOptions & { labelSelector?: string; fieldSelector?: string },
  ): Promise<void>;
  /** Any path: /readyz, /openapi/v2, a subresource with its own form. */
  raw(request: RawRequest): Promise<RawResponse>;
}

export interface RawRequest {
  method: string;
  /** Path with query. */
  path: string;
  headers?: Record<string, string> | undefined;
  body?: Buffer | undefined;
  signal?: AbortSignal | undefined;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
