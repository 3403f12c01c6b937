import type { FieldInfo, TypeInfo, ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { OddNumber } from './odd-number.ts';

const scalarNames: Readonly<Record<string, string>> = {
  double: 'float64',
  byte: '[]uint8',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
};

/** The type as upstream's decoder prints it: []v1.Container, map[string]string, int32. */
export function goTypeOf(value: ValueInfo | FieldInfo): string {
  if (value.kind === 'list') return `[]${elementType(value)}`;
  if (value.kind === 'map') {
    if (value.element?.scalar === 'quantity') return 'v1.ResourceList';
    return `map[string]${elementType(value)}`;
  }
  if (value.kind === 'struct') return typeTable.type(value.typeName ?? '')?.goType ?? 'struct';
  if ('enum' in value && value.enum !== undefined) return value.enum.goType;
  return scalarNames[value.scalar ?? ''] ?? value.scalar ?? 'interface {}';
}

/** Types whose uid is a string to Go; that of all others is a types.UID. */
const plainUids: ReadonlySet<string | undefined> = new Set([
  'UserInfo',
  'SubjectAccessReviewSpec',
  'CertificateSigningRequestSpec',
]);

/** The same for a field, of which Go knows more than its JSON. */
export function goTypeOfField(field: FieldInfo, parent: TypeInfo): string {
  if (field.name === 'uid' && !plainUids.has(parent.kind)) return 'types.UID';
  return goTypeOf(field);
}

function elementType(value: ValueInfo | FieldInfo): string {
  if ('enum' in value && value.enum !== undefined) return value.enum.goType;
  return value.element === undefined ? 'interface {}' : goTypeOf(value.element);
}

/** What upstream's decoder calls a JSON value in a type error. */
export function jsonWord(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof OddNumber) return 'number';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
