import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { FieldInfo, TypeInfo, UntypedForm, ValueInfo } from '../type-table/field-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { goTypeOf, goTypeOfField, jsonWord } from './go-types.ts';
import { OddNumber } from './odd-number.ts';
import { conformScalar, WrongType, zeroScalar } from './scalar.ts';

/** What to do about unknown and duplicate fields: the fieldValidation of a request. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Conformed<T> {
  readonly object: T;
  /** With Warn: one text a finding, as they go into Warning headers. */
  readonly warnings: readonly string[];
}

/** Upstream stops collecting here. */
const maxFindings = 100;

const schemaType = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

type Json = Record<string, unknown>;

/** One walk over one object. `path` holds field names, map keys (after a NUL) and list indexes. */
class Walk {
  readonly path: Array<string | number> = [];
  readonly findings = new Set<string>();
  #isSilent = 0;

  /** `known` was conformed before: parts that the value shares with it are passed over. */
  struct(value: Json, type: TypeInfo, known?: Json): Json {
    let result = value;
    for (const key in value) {
      const before = value[key];
      if (
        known !== undefined &&
        typeof before === 'object' &&
        before !== null &&
        before === known[key]
      )
        continue;
      const field = type.fields.get(key);
      if (field === undefined) {
        this.#reportUnknown(key);
      } else if (before !== null) {
        this.path.push(key);
        const after = this.#field(before, field, type, known?.[key]);
        this.path.pop();
        if (after === before) continue;
        if (result === value) result = { ...value };
        result[key] = after;
        continue;
      }
      if (result === value) result = { ...value };
      delete result[key];
    }
    return result;
  }

  #field(value: unknown, field: FieldInfo, parent: TypeInfo, known: unknown): unknown {
    try {
      return this.#value(value, field, known);
    } catch (error) {
      if (!(error instanceof WrongType)) throw error;
      const names = this.path.filter((part) => typeof part === 'string' && !part.startsWith('\0'));
      const place = `Go struct field ${parent.kind}.${names.join('.')}`;
      throw new K3tsError(
        'Decoding',
        `${error.message} into ${place} of type ${error.type ?? goTypeOfField(field, parent)}`,
        {
          cause: error,
        },
      );
    }
  }

  #value(value: unknown, info: ValueInfo, known?: unknown): unknown {
    switch (info.kind) {
      case 'scalar':
        return conformScalar(value, info.scalar ?? 'string');
      case 'struct':
        return this.#struct(value, info.typeName ?? '', known);
      case 'list':
        if (!Array.isArray(value)) throw new WrongType(jsonWord(value));
        return this.#list(value, info.element);
      case 'map':
        if (!isObject(value)) throw new WrongType(jsonWord(value));
        return this.#map(value, info.element);
      case 'untyped':
        return this.#untyped(value, info.untyped);
    }
  }

  #struct(value: unknown, typeName: string, known: unknown): unknown {
    const type = typeTable.type(typeName);
    if (type === undefined) return value;
    if (!isObject(value)) throw new WrongType(jsonWord(value));
    return this.struct(value, type, isObject(known) ? known : undefined);
  }

  #list(value: unknown[], element: ValueInfo | undefined): unknown[] {
    if (element === undefined) return value;
    let result = value;
    for (let i = 0; i < value.length; i++) {
      const before = value[i];
      this.path.push(i);
      const after = before === null ? zeroOf(element) : this.#element(before, element);
      this.path.pop();
      if (after === before) continue;
      if (result === value) result = value.slice();
      result[i] = after;
    }
    return result;
  }

  #map(value: Json, element: ValueInfo | undefined): Json {
    if (element === undefined) return value;
    let result = value;
    for (const key in value) {
      const before = value[key];
      this.path.push(`\0${key}`);
      const after = before === null ? zeroOf(element) : this.#element(before, element);
      this.path.pop();
      if (after === before) continue;
      if (result === value) result = { ...value };
      result[key] = after;
    }
    return result;
  }

  /** As #value, but a wrong type is told with the type of the element, not of the whole field. */
  #element(value: unknown, element: ValueInfo): unknown {
    try {
      return this.#value(value, element);
    } catch (error) {
      if (error instanceof WrongType) error.type ??= goTypeOf(element);
      throw error;
    }
  }

  #untyped(value: unknown, form: UntypedForm | undefined): unknown {
    if (form === 'object' || form === 'json' || form === undefined) return value;
    const accepts = form === 'schema-or-bool' ? typeof value === 'boolean' : Array.isArray(value);
    if (!accepts && !isObject(value)) {
      const want = form === 'schema-or-bool' ? 'JSON Schema or bool' : 'object or JSON array';
      throw new K3tsError('Decoding', `${want} expected`);
    }
    if (typeof value === 'boolean' || (form === 'schema-or-strings' && accepts)) return value;
    this.#isSilent++;
    const schema: ValueInfo = {
      kind: 'struct',
      typeName: schemaType,
      scalar: undefined,
      untyped: undefined,
      element: undefined,
    };
    const result = Array.isArray(value) ? this.#list(value, schema) : this.#value(value, schema);
    this.#isSilent--;
    return result;
  }

  #reportUnknown(key: string): void {
    if (this.#isSilent > 0 || this.findings.size >= maxFindings) return;
    this.path.push(key);
    this.findings.add(`unknown field ${JSON.stringify(renderPath(this.path))}`);
    this.path.pop();
  }
}

function isObject(value: unknown): value is Json {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) && !(value instanceof OddNumber);
}

function zeroOf(element: ValueInfo): unknown {
  if (element.kind === 'struct') return {};
  if (element.kind === 'scalar') return zeroScalar(element.scalar ?? 'string');
  return null;
}

/** spec.containers[0].image */
export function renderPath(path: ReadonlyArray<string | number>): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${part.startsWith('\0') ? part.slice(1) : part}`;
  }
  return text;
}

/**
 * Checks a parsed value against a type: prunes unknown fields and nulls, brings times, quantities
 * and bytes into canonical form. Returns the value itself when nothing changes, else a copy that
 * shares the unchanged parts; never changes the input. Throws an ApiStatusError BadRequest with
 * upstream's text, whose cause carries the bare reason (patch handlers wrap that one otherwise).
 * `earlier` are findings made before, such as duplicate fields. `known` is a conformed object of the
 * type: objects and lists that the value shares with it are not looked at again.
 */
export function conform<T extends object>(
  value: T,
  typeName: string | undefined,
  mode: FieldValidation,
  earlier: readonly string[] = [],
  known?: object,
): Conformed<T> {
  const type = typeName === undefined ? undefined : typeTable.type(typeName);
  const walk = new Walk();
  let object = value;
  try {
    if (type !== undefined) {
      if (!isObject(value)) throw new K3tsError('Decoding', notAnObject(value, type));
      object = walk.struct(value, type, known as Json | undefined) as T;
    }
  } catch (error) {
    throw cannotBeHandled(value, type, error);
  }
  if (mode === 'Ignore') return { object, warnings: [] };
  const findings = [...earlier, ...walk.findings];
  if (mode === 'Warn' || findings.length === 0) return { object, warnings: findings };
  const strict = new K3tsError('StrictDecoding', `strict decoding error: ${findings.join(', ')}`);
  throw cannotBeHandled(value, type, strict);
}

function notAnObject(value: unknown, type: TypeInfo): string {
  return `json: cannot unmarshal ${jsonWord(value)} into Go value of type ${type.goType}`;
}

function cannotBeHandled(
  value: unknown,
  type: TypeInfo | undefined,
  error: unknown,
): ApiStatusError {
  const { kind, apiVersion } = isObject(value) ? value : {};
  const given = typeof kind === 'string' && kind !== '' ? kind : (type?.kind ?? 'Unstructured');
  const version =
    typeof apiVersion === 'string' && apiVersion !== ''
      ? apiVersion.slice(apiVersion.lastIndexOf('/') + 1)
      : (type?.version ?? '');
  const want = type?.kind ?? given;
  return new ApiStatusError({
    httpCode: 400,
    reason: 'BadRequest',
    message: `${given} in version ${JSON.stringify(version)} cannot be handled as a ${want}: ${messageOf(error)}`,
    cause: error,
  });
}
