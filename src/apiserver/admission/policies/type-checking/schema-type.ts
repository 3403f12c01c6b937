import type { CelField, CelType } from '#cel/mod.ts';
import { typeTable } from '#schema/mod.ts';
import type { ScalarType, ValueInfo } from '#schema/mod.ts';

const scalars: Readonly<Record<ScalarType, CelType>> = {
  string: { kind: 'string' },
  int32: { kind: 'int' },
  int64: { kind: 'int' },
  double: { kind: 'double' },
  bool: { kind: 'bool' },
  byte: { kind: 'bytes' },
  time: { kind: 'timestamp' },
  'micro-time': { kind: 'timestamp' },
  duration: { kind: 'string' },
  quantity: { kind: 'string' },
  'int-or-string': { kind: 'dyn' },
};

const known = new Map<string, CelType>();

/** The type of a built-in kind with all its fields, for type checking; dyn for one that is unknown. */
export function schemaType(typeName: string): CelType {
  const found = known.get(typeName);
  if (found !== undefined) return found;
  const info = typeTable.type(typeName);
  if (info === undefined) return { kind: 'dyn' };
  // Known before its fields are: types may hold themselves.
  const fields = new Map<string, CelField>();
  const type: CelType = { kind: 'object', name: typeName, fields };
  known.set(typeName, type);
  for (const [name, field] of info.fields) fields.set(name, { type: valueType(field) });
  return type;
}

function valueType(value: ValueInfo | undefined): CelType {
  switch (value?.kind) {
    case 'scalar':
      return value.scalar === undefined ? { kind: 'dyn' } : scalars[value.scalar];
    case 'list':
      return { kind: 'list', element: valueType(value.element) };
    case 'map':
      return { kind: 'map', key: { kind: 'string' }, value: valueType(value.element) };
    case 'struct':
      return schemaType(value.typeName ?? '');
    default:
      return { kind: 'dyn' };
  }
}
