import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { decodeBody, groupVersion } from '#schema/mod.ts';
import { badRequest, unsupportedMediaType } from '../api-errors.ts';
import type { FieldValidation } from '../handlers/write-options.ts';
import type { RequestContext } from '../request.ts';

/** Type that a body must have. */
export interface WantedType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** OpenAPI name; empty for custom resources. */
  readonly typeName: string;
}

const readableTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];

/** The syntax of a body by its Content-Type; throws UnsupportedMediaType. */
export function bodyMediaType(contentType: string | undefined): 'json' | 'yaml' {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') {
    return 'json';
  }
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type === 'application/json') return 'json';
  if (type === 'application/yaml') return 'yaml';
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
  const { object, warnings } = decodeBody<UnknownObject>({
    body,
    mediaType: bodyMediaType(contentType),
    typeName: wanted.typeName === '' ? undefined : wanted.typeName,
    mode,
    kind: wanted.kind,
  });
  for (const warning of warnings) context.warnings.add(warning);
  if (isTyped) checkType(object, wanted);
  object.metadata ??= {} as UnknownObject['metadata'];
  return object;
}

/** Sets kind and apiVersion where they are missing; throws BadRequest when they are others. */
export function checkType(object: UnknownObject, wanted: WantedType): void {
  const apiVersion = groupVersion(wanted);
  const { kind, apiVersion: given } = object;
  if (given !== undefined && given !== '' && given !== apiVersion) {
    throw badRequest(
      `the API version in the data (${given}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (kind !== undefined && kind !== '' && kind !== wanted.kind) {
    throw badRequest(
      `${kind} in version ${JSON.stringify(wanted.version)} cannot be handled as a ${wanted.kind}: converting (v1.${kind}) to (core.${wanted.kind}): unknown conversion`,
    );
  }
  object.kind = wanted.kind;
  object.apiVersion = apiVersion;
}

/** The type of a resource's own bodies. */
export function typeOf(info: ResourceInfo): WantedType {
  return { group: info.group, version: info.version, kind: info.kind, typeName: info.typeName };
}
