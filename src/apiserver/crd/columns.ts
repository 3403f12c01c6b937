import type { Cell, TableColumn, UnknownObject } from '#schema/mod.ts';
import { age } from '#schema/mod.ts';
import type { CustomResourceColumnDefinition } from '#schema/types.ts';
import { compileJsonPath } from './json-path.ts';

/** The table of a kind: its columns and how a row is made. */
export interface ColumnSet {
  readonly columns: readonly TableColumn[];
  cells(object: UnknownObject, nowMs: number): Cell[];
}

const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: '',
  priority: 0,
};
const defaultColumns: readonly CustomResourceColumnDefinition[] = [
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** Name and the declared columns, or Name and Age when none are declared. */
export function createColumns(
  declared: readonly CustomResourceColumnDefinition[] | undefined,
): ColumnSet {
  const wanted = declared === undefined || declared.length === 0 ? defaultColumns : declared;
  const paths = wanted.map(({ jsonPath }) => compileJsonPath(jsonPath));
  // one path that cannot be read takes all columns with it, as upstream
  const firstBad = paths.indexOf(undefined);
  const shown = firstBad < 0 ? wanted : wanted.slice(0, firstBad);
  const columns = shown.map(({ name, type, format = '', description, priority = 0, jsonPath }) => ({
    name,
    type,
    format,
    description:
      description === undefined || description === ''
        ? `Custom resource definition column (in JSONPath format): ${jsonPath}`
        : description,
    priority,
  }));
  return {
    columns: [nameColumn, ...columns],
    cells(object, nowMs) {
      const cells: Cell[] = [object.metadata.name];
      for (let index = 0; index < shown.length; index++) {
        const found = paths[index]?.(object) ?? [];
        cells.push(cellOf(shown[index]?.type ?? 'string', found, nowMs));
      }
      return cells;
    },
  };
}

function cellOf(type: string, found: readonly unknown[], nowMs: number): Cell {
  const [value] = found;
  if (found.length === 0) return null;
  if (type === 'string') return found.length === 1 ? textOf(value) : JSON.stringify(found);
  if (value === null) return null;
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null;
  if (type === 'number') return typeof value === 'number' ? value : null;
  if (type === 'boolean') return typeof value === 'boolean' ? value : null;
  if (type !== 'date' || typeof value !== 'string') return null;
  return Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, nowMs);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '<nil>' : JSON.stringify(value);
}
