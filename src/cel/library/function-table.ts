/** The libraries of Kubernetes 1.36 as one table; made once per combination of options. */
import { type FunctionTable, joinLibraries, type Library } from '../check/declaration.ts';
import type { CelExtension } from '../types.ts';
import { authorizerLibrary } from './authorizer.ts';
import { cidrLibrary } from './cidr.ts';
import { comprehensionLibrary } from './comprehensions.ts';
import { conversionLibrary } from './conversions.ts';
import { encoderLibrary } from './encoders.ts';
import { formatLibrary } from './format.ts';
import { ipLibrary } from './ip.ts';
import { jsonPatchLibrary } from './json-patch.ts';
import { listExtension, listLibrary } from './lists.ts';
import { operatorLibrary } from './operators.ts';
import { optionalLibrary } from './optional.ts';
import { quantityLibrary } from './quantity.ts';
import { regexLibrary } from './regex.ts';
import { semverLibrary } from './semver.ts';
import { setLibrary } from './sets.ts';
import { standardLibrary } from './standard.ts';
import { stringLibrary } from './strings.ts';
import { timeLibrary } from './time.ts';
import { urlLibrary } from './url.ts';

const always: readonly Library[] = [
  operatorLibrary,
  standardLibrary,
  conversionLibrary,
  timeLibrary,
  optionalLibrary,
  comprehensionLibrary,
  listLibrary,
  listExtension,
  stringLibrary,
  regexLibrary,
  setLibrary,
  urlLibrary,
  quantityLibrary,
  ipLibrary,
  cidrLibrary,
  formatLibrary,
  semverLibrary,
];

const extensionLibraries: Readonly<Record<CelExtension, Library>> = {
  bindings: {},
  encoders: encoderLibrary,
  jsonpatch: jsonPatchLibrary,
};

const tables = new Map<string, FunctionTable>();

export function functionTable(options: {
  readonly authorizer?: boolean;
  readonly extensions?: readonly CelExtension[];
}): FunctionTable {
  const { authorizer = true, extensions = [] } = options;
  const key = JSON.stringify([authorizer, [...extensions].sort()]);
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = joinLibraries([
    ...always,
    ...(authorizer ? [authorizerLibrary] : []),
    ...extensions.map((name) => extensionLibraries[name]),
  ]);
  tables.set(key, table);
  return table;
}
