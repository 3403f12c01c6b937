/** Names that expressions may use as types. */
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaqueType,
  optionalOf,
  stringType,
  structType,
  timestampType,
  type Type,
  typeOf,
  uintType,
} from '../check/type.ts';

const named: readonly (readonly [string, Type])[] = [
  ['bool', boolType],
  ['int', intType],
  ['uint', uintType],
  ['double', doubleType],
  ['string', stringType],
  ['bytes', bytesType],
  ['list', listOf(dynType)],
  ['map', mapOf(dynType, dynType)],
  ['null_type', nullType],
  ['google.protobuf.Timestamp', timestampType],
  ['google.protobuf.Duration', durationType],
  ['optional_type', optionalOf(dynType)],
  ['net.IP', opaqueType('net.IP')],
  ['net.CIDR', opaqueType('net.CIDR')],
  ['kubernetes.Quantity', structType('kubernetes.Quantity')],
  ['kubernetes.URL', structType('kubernetes.URL')],
  ['kubernetes.Semver', structType('kubernetes.Semver')],
];

/** Type of the variable that a type's name is. */
export const typeVariables: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...named.map(([name, type]): [string, Type] => [name, typeOf(type)]),
  ['type', { kind: 'type', name: 'type', params: [] }],
]);

/** What `type(x)` says for values of the type. */
export const typeNames: ReadonlyMap<string, string> = new Map<string, string>([
  ...named.map(([name]): [string, string] => [name, name]),
  ['type', 'type'],
]);
