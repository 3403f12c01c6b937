import type { CelField, CelType } from '#cel/mod.ts';
import type { Structural } from '#schema/structural/mod.ts';
import { hasDefault } from '#schema/structural/mod.ts';

/** Sizes by which upstream bounds what the schema does not: those of the largest request. */
const maxRequestBytes = 3 * 1024 * 1024;
const minSizes = { string: 2, bool: 4, number: 1, list: 2, map: 2 } as const;

/** The type of a node's values in CEL, and the least bytes that one takes as JSON. */
export interface DeclaredType {
  readonly type: CelType;
  readonly minSizeBytes: number;
}

const text: CelType = { kind: 'string', maxSize: maxRequestBytes - 2 };
const rootFields: ReadonlyMap<string, CelField> = new Map<string, CelField>([
  ['apiVersion', { type: text }],
  ['kind', { type: text }],
  [
    'metadata',
    {
      type: {
        kind: 'object',
        name: 'object',
        fields: new Map([
          ['name', { type: text }],
          ['generateName', { type: text }],
        ]),
      },
    },
  ],
]);

/**
 * The type that rules see of a node; undefined for what has no declared type, which rules cannot
 * look into. `isRoot` holds for whole resources, embedded ones too: they have names and kinds.
 */
export function declaredType(node: Structural, isRoot: boolean): DeclaredType | undefined {
  if (node.isIntOrString) {
    return { type: { kind: 'dyn', maxSize: maxRequestBytes - 2 }, minSizeBytes: 1 };
  }
  switch (node.types[0]) {
    case 'array':
      return listType(node);
    case 'object':
      return typeof node.additional === 'object'
        ? mapType(node, node.additional)
        : objectType(node, isRoot);
    case 'string':
      return stringType(node);
    case 'boolean':
      return { type: { kind: 'bool' }, minSizeBytes: minSizes.bool };
    case 'integer':
      return { type: { kind: 'int' }, minSizeBytes: minSizes.number };
    case 'number':
      return { type: { kind: 'double' }, minSizeBytes: minSizes.number };
    default:
      return undefined;
  }
}

function listType({ items, maxItems }: Structural): DeclaredType | undefined {
  const element = items === undefined ? undefined : declaredType(items, items.isEmbedded);
  if (element === undefined) return undefined;
  const most = Math.floor((maxRequestBytes - 2) / (element.minSizeBytes + 1));
  return {
    type: { kind: 'list', element: element.type, maxSize: bound(maxItems, most) },
    minSizeBytes: minSizes.list,
  };
}

function mapType({ maxProperties }: Structural, values: Structural): DeclaredType | undefined {
  const value = declaredType(values, values.isEmbedded);
  if (value === undefined) return undefined;
  const most = Math.floor((maxRequestBytes - 2) / (value.minSizeBytes + 6));
  const maxSize = bound(maxProperties, most);
  return {
    type: {
      kind: 'map',
      key: { kind: 'string', maxSize: maxRequestBytes - 2 },
      value: value.type,
      maxSize,
    },
    minSizeBytes: minSizes.map,
  };
}

function objectType(node: Structural, isRoot: boolean): DeclaredType {
  const fields = new Map<string, CelField>(isRoot ? rootFields : []);
  const required = new Set(node.required);
  let minSizeBytes = 2;
  for (const [name, property] of node.properties ?? []) {
    if (isRoot && rootFields.has(name)) continue;
    const declared = declaredType(property, property.isEmbedded);
    if (declared === undefined) continue;
    fields.set(name, { type: declared.type });
    if (!required.has(name) || hasDefault(property)) continue;
    minSizeBytes += name.length + declared.minSizeBytes + 4;
  }
  return { type: { kind: 'object', name: 'object', fields }, minSizeBytes };
}

function stringType(node: Structural): DeclaredType {
  const { format, maxLength, enumValues } = node;
  switch (format) {
    case 'byte':
      return {
        type: { kind: 'bytes', maxSize: bound(maxLength, maxRequestBytes - 2) },
        minSizeBytes: minSizes.string,
      };
    case 'duration':
      return { type: { kind: 'duration', maxSize: 32 }, minSizeBytes: 4 };
    case 'date':
      return { type: { kind: 'timestamp', maxSize: 12 }, minSizeBytes: 12 };
    case 'date-time':
      return { type: { kind: 'timestamp', maxSize: 21 }, minSizeBytes: 21 };
    default: {
      const longest = enumValues === undefined ? maxRequestBytes - 2 : longestOf(enumValues);
      return {
        type: { kind: 'string', maxSize: bound(maxLength, longest) },
        minSizeBytes: minSizes.string,
      };
    }
  }
}

function longestOf(values: readonly unknown[]): number {
  return Math.max(0, ...values.map((value) => (typeof value === 'string' ? value.length : 0)));
}

function bound(declared: number | undefined, most: number): number {
  return declared === undefined ? most : Math.max(0, declared);
}

/** How often a node of this size can occur in one request. */
export function maxCardinality(minSizeBytes: number): number {
  return Math.floor(maxRequestBytes / (minSizeBytes + 1));
}
