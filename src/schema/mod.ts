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
export type { GroupInfo, ResourceCatalog } from './catalog.ts';
export { catalog } from './catalog.ts';
export type {
  EnumInfo,
  FieldInfo,
  ScalarType,
  TypeInfo,
  ValueInfo,
} from './type-table/field-info.ts';
export type { TypeTable } from './type-table/type-table.ts';
export { fieldOf, typeTable } from './type-table/type-table.ts';
export type { Conformed, FieldValidation } from './decode/conform.ts';
export { conform } from './decode/conform.ts';
export type { DecodeOptions } from './decode/decode-body.ts';
export { decodeBody, parseJson } from './decode/decode-body.ts';
export { unconvertibleText } from './decode/unconvertible.ts';
export { applyDefaults } from './defaults/apply.ts';
export { readYaml } from './decode/yaml-text.ts';
export type { Cell } from './table/cell-text.ts';
export { age } from './table/cell-text.ts';
export type { PodSummary } from './table/pod-cells.ts';
export { summarizePod } from './table/pod-cells.ts';
export type { TableColumn } from './table/table.ts';
export { tableCells, tableColumns, tableRowConditions } from './table/table.ts';
export type { FieldError, FieldErrorType } from './field-error.ts';
export { toCause } from './field-error.ts';
