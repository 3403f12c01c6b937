/**
 * The Kubernetes API as data and pure functions: kinds, types, defaults, columns. It knows no
 * storage, no clock and no network. Start reading at resource-info.ts, then catalog.ts.
 */
export type {
  GroupVersionKind,
  GroupVersionResource,
  KubeObject,
  UnknownObject,
} from './object.ts';
export { groupVersion, parseGroupVersion } from './object.ts';
export type { ResourceInfo, SubresourceInfo } from './resource-info.ts';
export type { FieldError, FieldErrorType } from './field-error.ts';
export { toCause } from './field-error.ts';
