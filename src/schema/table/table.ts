import printers from '../generated/printers.json' with { type: 'json' };
import type { Pod } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { catalog } from '../catalog.ts';
import type { Cell } from './cell-text.ts';
import { age } from './cell-text.ts';
import { cellsByKind } from './kinds.ts';

/** A column definition of meta.k8s.io/v1 Table. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** Above 0: shown with -o wide only. */
  readonly priority: number;
}

function column(entry: ReadonlyArray<string | number>): TableColumn {
  const [name, type, format, priority] = entry;
  return {
    name: String(name),
    type: String(type),
    format: String(format),
    description: '',
    priority: Number(priority),
  };
}

const nameColumn = column(['Name', 'string', 'name', 0]);
const withoutPrinter: readonly TableColumn[] = [nameColumn, column(['Created At', 'date', '', 0])];
const ofCustomResources: readonly TableColumn[] = [nameColumn, column(['Age', 'date', '', 0])];

const known = new Map<string, readonly TableColumn[]>();

function isBuiltIn(info: ResourceInfo): boolean {
  return catalog.byResource(info) !== undefined;
}

function columnsOfKind(kind: string): readonly TableColumn[] {
  const read = known.get(kind);
  if (read !== undefined) return read;
  const table: Record<string, Array<Array<string | number>>> = printers.columns;
  const entries = Object.hasOwn(cellsByKind, kind) ? table[kind] : undefined;
  const columns = entries === undefined ? withoutPrinter : entries.map(column);
  known.set(kind, columns);
  return columns;
}

/**
 * The columns of `kubectl get` for a kind. Built-in kinds without columns of their own show Name and
 * Created At, custom resources Name and Age (unless their definition declares columns). `kind`
 * stands for the kind of a subresource, such as Scale.
 */
export function tableColumns(info: ResourceInfo, kind = info.kind): readonly TableColumn[] {
  return isBuiltIn(info) || kind !== info.kind ? columnsOfKind(kind) : ofCustomResources;
}

/** What is marked in a row: `kubectl get` can leave out what is completed. */
export interface TableRowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

const completed = { type: 'Completed', status: 'True' } as const;
const endedPods: Readonly<Record<string, readonly TableRowCondition[]>> = {
  Succeeded: [
    { ...completed, reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ],
  Failed: [{ ...completed, reason: 'Failed', message: 'The pod failed.' }],
};

/** Marks of a row; only pods that have ended have one. */
export function tableRowConditions(
  { group, kind }: Pick<ResourceInfo, 'group' | 'kind'>,
  object: KubeObject,
): readonly TableRowCondition[] | undefined {
  if (kind !== 'Pod' || group !== '') return undefined;
  return endedPods[(object as Pod).status?.phase ?? ''];
}

/** One row, in the order of tableColumns; all columns, wide ones too. */
export function tableCells(
  info: ResourceInfo,
  object: KubeObject,
  nowMs: number,
  kind = info.kind,
): Cell[] {
  const { name, creationTimestamp } = object.metadata;
  if (!isBuiltIn(info) && kind === info.kind) return [name, age(creationTimestamp, nowMs)];
  const cells = Object.hasOwn(cellsByKind, kind) ? cellsByKind[kind] : undefined;
  return cells === undefined ? [name, creationTimestamp ?? null] : cells(object, nowMs);
}
