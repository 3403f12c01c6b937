import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { Cell, TableColumn } from '#schema/mod.ts';
import { tableCells, tableColumns, tableRowConditions } from '#schema/mod.ts';
import { badRequest } from '../api-errors.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { AnswerForm } from '../negotiate.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedObject } from '../resource-registry.ts';

/** How much of each object a table row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export const partialStart =
  '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":';

function columnsOf({ info, custom }: ServedResource): readonly TableColumn[] {
  return custom === undefined ? tableColumns(info) : custom.columns;
}

function cellsOf({ info, custom }: ServedResource, object: UnknownObject, nowMs: number): Cell[] {
  return custom === undefined ? tableCells(info, object, nowMs) : custom.cells(object, nowMs);
}

/** Columns of the kind as JSON; the same text for every table of it. */
export function columnsJson(served: ServedResource): string {
  return JSON.stringify(columnsOf(served));
}

/** The start of a row as JSON, before its object: `"cells":[…]`, and `"conditions"` if there are. */
export function rowStart(served: ServedResource, entry: CacheEntry, nowMs: number): string {
  const object = servedObject(served, entry);
  const cells = `"cells":${JSON.stringify(cellsOf(served, object, nowMs))}`;
  const conditions = tableRowConditions(served.info, object);
  return conditions === undefined ? cells : `${cells},"conditions":${JSON.stringify(conditions)}`;
}

/** A row as a value, for tables of one object and for watch events. */
export function tableRow(
  served: ServedResource,
  object: UnknownObject,
  include: IncludeObject,
  nowMs: number,
): { cells: readonly unknown[]; object: unknown } {
  const conditions = tableRowConditions(served.info, object);
  return {
    cells: cellsOf(served, object, nowMs),
    ...(conditions && { conditions }),
    object: include === 'None' ? null : include === 'Object' ? object : partialMetadata(object),
  };
}

export function partialMetadata(object: UnknownObject): object {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata,
  };
}

/** A table of one object; without columns when a reader of a stream has them already. */
export function tableOf(
  served: ServedResource,
  object: UnknownObject,
  options: { include: IncludeObject; nowMs: number; hasColumns: boolean },
): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: object.metadata.resourceVersion },
    ...(options.hasColumns ? { columnDefinitions: columnsOf(served) } : {}),
    rows: [tableRow(served, object, options.include, options.nowMs)],
  };
}

/** Of a table; other shapes are not asked. Throws BadRequest for what is none of the three. */
export function includeObjectOf(query: URLSearchParams, as: AnswerForm['as']): IncludeObject {
  const value = as === 'Table' ? (query.get('includeObject') ?? '') : '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Object' || value === 'Metadata') return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** A Scale in the shape that was asked for; those of custom resources look the same. */
export function shapedScale(
  info: ResourceInfo,
  scale: UnknownObject,
  as: AnswerForm['as'],
  options: { include: IncludeObject; nowMs: number },
): object {
  if (as === undefined) return scale;
  if (as !== 'Table') return partialMetadata(scale);
  const { include, nowMs } = options;
  const object = include === 'None' ? null : include === 'Object' ? scale : partialMetadata(scale);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: scale.metadata.resourceVersion },
    columnDefinitions: tableColumns(info, 'Scale'),
    rows: [{ cells: tableCells(info, scale, nowMs, 'Scale'), object }],
  };
}
