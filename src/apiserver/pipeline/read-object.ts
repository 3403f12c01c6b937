import { messageOf } from '#base/errors.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { catalog, conform, decodeBody, groupVersion } from '#schema/mod.ts';
import { openProtobuf, protobufMediaType } from '#schema/protobuf/mod.ts';
import type { OpenedEnvelope } from '#schema/protobuf/mod.ts';
import { badRequest, invalid, unsupportedMediaType } from '../api-errors.ts';
import type { FieldValidation } from '../handlers/write-options.ts';
import type { CustomKind } from '../custom-kind.ts';
import type { RequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Type that a body must have. */
export interface WantedType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** OpenAPI name; empty for custom resources. */
  readonly typeName: string;
  /** Versions of the same shape that old clients may still send. */
  readonly olderVersions?: readonly string[];
  readonly custom?: CustomKind | undefined;
}

const readableTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  protobufMediaType,
];

/** The syntax of a body by its Content-Type; throws UnsupportedMediaType. */
function bodyMediaType(contentType: string | undefined): 'json' | 'yaml' | 'protobuf' {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') {
    return 'json';
  }
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type === 'application/json') return 'json';
  if (type === 'application/yaml') return 'yaml';
  if (type === protobufMediaType) return 'protobuf';
  throw unsupportedMediaType(readableTypes);
}

/** Decodes a body into a fresh object of the wanted kind, with its warnings noted. */
export function readObject(
  context: RequestContext,
  body: Buffer,
  contentType: string | undefined,
  wanted: WantedType,
  mode: FieldValidation,
  isTyped = true,
): UnknownObject {
  const mediaType = bodyMediaType(contentType);
  const typeName = wanted.typeName === '' ? undefined : wanted.typeName;
  // custom resources judge findings together with what their schema does not know
  const { custom } = wanted;
  const decodeMode = custom !== undefined && mode === 'Strict' ? 'Warn' : mode;
  const { object, warnings } =
    mediaType === 'protobuf'
      ? conform(readProtobuf(body, wanted), typeName, mode)
      : decodeBody<UnknownObject>({
          body,
          mediaType,
          typeName,
          mode: decodeMode,
          kind: wanted.kind,
        });
  if (isTyped) checkType(object, wanted);
  object.metadata ??= {} as UnknownObject['metadata'];
  if (custom !== undefined) return decodeCustom(context, custom, object, mode, warnings);
  for (const warning of warnings) context.warnings.add(warning);
  return object;
}

function decodeCustom(
  context: RequestContext,
  custom: CustomKind,
  object: UnknownObject,
  mode: FieldValidation,
  earlier: readonly string[] = [],
): UnknownObject {
  const decoded = custom.decode(object, mode, earlier);
  for (const warning of decoded.warnings) context.warnings.add(warning);
  return decoded.object;
}

/**
 * Checks a value that a patch made as a body is checked, and notes its warnings. What it shares
 * with `old`, the stored object, was checked when that was written. `earlier` are findings that
 * were made before.
 */
export function conformObject(
  context: RequestContext,
  { info, custom }: Pick<ServedResource, 'info' | 'custom'>,
  object: UnknownObject,
  mode: FieldValidation,
  old?: UnknownObject,
  earlier: readonly string[] = [],
): UnknownObject {
  if (custom !== undefined) return decodeCustom(context, custom, object, mode, earlier);
  const typeName = info.typeName === '' ? undefined : info.typeName;
  const conformed = conform(object, typeName, mode, earlier, old);
  for (const warning of conformed.warnings) context.warnings.add(warning);
  return conformed.object;
}

/** Upstream knows the kind as soon as the envelope is open, and names it in what follows. */
function readProtobuf(body: Buffer, wanted: WantedType): UnknownObject {
  const { kind: wantedKind } = wanted;
  let opened: OpenedEnvelope;
  try {
    opened = openProtobuf(body, { apiVersion: groupVersion(wanted), kind: wantedKind });
  } catch (error) {
    const start = body.length === 0 ? '<empty>' : body.toString('hex', 0, 30);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${wantedKind}): ${messageOf(error)} (${start}${body.length > 30 ? ' ...' : ''})`,
      error,
    );
  }
  try {
    return opened.decode() as UnknownObject;
  } catch (error) {
    const { apiVersion, kind } = opened;
    const problem = typeProblem({ apiVersion, kind } as UnknownObject, wanted) ?? messageOf(error);
    throw badRequest(cannotBeHandled(kind, versionOf(apiVersion), wantedKind, problem), error);
  }
}

function cannotBeHandled(kind: string, version: string, wanted: string, why: string): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${wanted}: ${why}`;
}

/** Sets kind and apiVersion where they are missing; throws BadRequest when they are others. */
export function checkType(object: UnknownObject, wanted: WantedType): void {
  const apiVersion = groupVersion(wanted);
  const { kind, apiVersion: given } = object;
  const isOlder = (version: string): boolean =>
    given === groupVersion({ group: wanted.group, version });
  const isGiven = given !== undefined && given !== '' && given !== apiVersion;
  const isOther = isGiven && wanted.olderVersions?.some(isOlder) !== true;
  const isOtherKind = kind !== undefined && kind !== '' && kind !== wanted.kind;
  if (wanted.custom !== undefined) {
    if (isOther) throw badRequest(versionText(given, apiVersion));
    if (isOtherKind) throw wrongKind(object, kind, wanted);
  } else if (isOther || isOtherKind) {
    const problem = typeProblem(object, wanted);
    if (problem === undefined) throw badRequest(versionText(given ?? '', apiVersion));
    const version = given === undefined || given === '' ? wanted.version : versionOf(given);
    throw badRequest(cannotBeHandled(kind ?? wanted.kind, version, wanted.kind, problem));
  }
  object.kind = wanted.kind;
  object.apiVersion = apiVersion;
}

function versionText(given: string, expected: string): string {
  return `the API version in the data (${given}) does not match the expected API version (${expected})`;
}

function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
}

const schemeName = 'pkg/api/legacyscheme/scheme.go:30';

/**
 * Why upstream cannot turn an object into the built-in kind that is wanted: nobody knows its kind,
 * or it is another one. Undefined for the kind itself, in whatever version.
 */
export function typeProblem(object: UnknownObject, wanted: WantedType): string | undefined {
  const { kind: givenKind = '', apiVersion: given = '' } = object;
  const kind = givenKind === '' ? wanted.kind : givenKind;
  const apiVersion = given === '' ? groupVersion(wanted) : given;
  if (kind === wanted.kind && apiVersion === groupVersion(wanted)) return undefined;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = versionOf(apiVersion);
  const isKnown = catalog.byKind({ group, version, kind }) !== undefined;
  if (!isKnown) {
    return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(schemeName)}`;
  }
  if (kind === wanted.kind && group === wanted.group) return undefined;
  const internal = `${internalGroup(wanted.group)}.${wanted.kind}`;
  return `converting (${version}.${kind}) to (${internal}): unknown conversion`;
}

/** The Go package of a group's internal types. */
function internalGroup(group: string): string {
  return group === '' || group === 'events.k8s.io' ? 'core' : (group.split('.', 1)[0] ?? '');
}

/** Custom resources find a wrong kind where they are validated, not where they are decoded. */
function wrongKind(object: UnknownObject, kind: string, wanted: WantedType): Error {
  const name = (object as { metadata?: { name?: unknown } }).metadata?.name;
  return invalid({ group: wanted.group, kind }, typeof name === 'string' ? name : '', [
    {
      type: 'FieldValueInvalid',
      field: 'kind',
      message: `Invalid value: ${JSON.stringify(kind)}: must be ${wanted.kind}`,
    },
  ]);
}

/** The type of a resource's bodies, with what its definition says of them. */
export function bodyTypeOf({ info, custom }: ServedResource): WantedType {
  return { ...typeOf(info), custom };
}

/** The type of a resource's own bodies. */
export function typeOf(info: ResourceInfo): WantedType {
  return { group: info.group, version: info.version, kind: info.kind, typeName: info.typeName };
}
