import type { ObjectMeta } from './generated/types.ts';

/** Any API object. Objects from a client or a cache are shared and read-only: copy on write. */
export interface KubeObject {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  metadata: ObjectMeta;
}

/** An object whose shape is not known to the compiler. */
export type UnknownObject = KubeObject & Record<string, unknown>;

/** Group, version and plural resource name; the core group is the empty string. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `v1` for the core group, `apps/v1` otherwise. */
export function groupVersion(of: { group: string; version: string }): string {
  return of.group === '' ? of.version : `${of.group}/${of.version}`;
}

/** Splits an apiVersion; a lone version belongs to the core group. */
export function parseGroupVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}
