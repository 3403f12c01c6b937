import { CelList } from './list.ts';
import { CelMap, ObjectValue } from './map.ts';
import { CelDuration, CelTimestamp } from './time.ts';
import { CelDouble, CelOptional, CelTypeValue, CelUint, type CelValue } from './value.ts';

/** Name of a value's type, as `type(x)` gives it. */
export function typeNameOf(value: CelValue): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    default:
  }
  if (value instanceof CelDouble) return 'double';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelList) return 'list';
  if (value instanceof ObjectValue) return value.shape.name;
  if (value instanceof CelMap) return 'map';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp';
  if (value instanceof CelDuration) return 'google.protobuf.Duration';
  if (value instanceof CelTypeValue) return 'type';
  if (value instanceof CelOptional) return 'optional_type';
  return value.typeName;
}
