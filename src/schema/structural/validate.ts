import { RE2JS } from 're2js';
import { ErrorList } from '../validation/error-list.ts';
import type { FieldPath } from '../validation/field-path.ts';
import { goFloat } from './go-number.ts';
import { fieldOfOld, isMap, isSame, itemLookup, unrelated } from './correlation.ts';
import { hasFormat, isKnownFormat } from './formats.ts';
import { SchemaPath } from './schema-path.ts';
import type { Structural } from './structural.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import type { FieldError } from '../field-error.ts';

/** Patterns of Go's syntax, which run in time linear in the text whatever they are. */
const patterns = new WeakMap<Structural, RE2JS | null>();

/**
 * What a value breaks of a schema, in the order and the words of upstream. `at` is where the value
 * lies: paths inside the texts are relative to it, as upstream has them for a status. With `old`,
 * errors at places that did not change are left out (ratcheting); leave it out on creation.
 */
export function validateSchema(
  value: unknown,
  schema: Structural,
  at: FieldPath,
  old: unknown = unrelated,
): FieldError[] {
  const first = new Walk(at, false);
  first.visit(value, schema, new SchemaPath(undefined, ''), unrelated);
  if (first.errors.count === 0 || old === unrelated) return first.errors.errors;
  const again = new Walk(at, true);
  again.visit(value, schema, new SchemaPath(undefined, ''), old);
  return again.errors.errors;
}

class Walk {
  errors = new ErrorList();
  /** Checks made, which is how upstream finds the alternative that came closest. */
  #checks = 0;
  readonly #at: FieldPath;
  readonly #ratchets: boolean;

  constructor(at: FieldPath, ratchets: boolean) {
    this.#at = at;
    this.#ratchets = ratchets;
  }

  visit(value: unknown, schema: Structural, path: SchemaPath, old: unknown): void {
    if (this.#ratchets && isSame(value, old, schema)) return;
    this.#checks += 4;
    this.#type(value, schema, path);
    if (value === null) {
      this.#enum(value, schema, path);
      return;
    }
    this.#combine(value, schema, path);
    if (typeof value === 'string') this.#string(value, schema, path);
    else if (typeof value === 'number') this.#number(value, schema, path);
    else if (Array.isArray(value)) this.#list(value, schema, path, old);
    this.#enum(value, schema, path);
    if (isMap(value)) this.#map(value, schema, path, old);
  }

  #type(value: unknown, schema: Structural, path: SchemaPath): void {
    const { types, nullable } = schema;
    if (types.length === 0) return;
    const type = typeOf(value);
    if (type === 'null' ? nullable : types.includes(type)) return;
    if (type === 'integer' && types.includes('number')) return;
    const wanted = types.join(',');
    const text = `${path.toString()} in body must be of type ${wanted}: "${type}"`;
    this.errors.typeInvalid(path.under(this.#at), '', type, text);
  }

  #enum(value: unknown, { enumValues }: Structural, path: SchemaPath): void {
    if (enumValues === undefined || enumValues.some((one) => jsonEqual(one, value))) return;
    const supported = enumValues.map((one) =>
      typeof one === 'string' ? one : JSON.stringify(one),
    );
    this.errors.notSupported(path.under(this.#at), '', value, supported);
  }

  #string(value: string, schema: Structural, path: SchemaPath): void {
    this.#checks++;
    const { maxLength, minLength, pattern, format } = schema;
    const place = (): FieldPath => path.under(this.#at);
    const name = (): string => path.toString();
    if (maxLength !== undefined && value.length > maxLength && lengthOf(value) > maxLength) {
      this.errors.tooLong(place(), '', maxLength);
    } else if (minLength !== undefined && lengthOf(value) < minLength) {
      const text = `${name()} in body should be at least ${minLength} chars long`;
      this.errors.invalid(place(), '', value, text);
    } else if (pattern !== undefined && !matchesPattern(schema, pattern, value)) {
      this.errors.invalid(place(), '', value, `${name()} in body should match '${pattern}'`);
    }
    if (format === undefined || !isKnownFormat(schema.types[0], format)) return;
    this.#checks++;
    if (hasFormat(format, value)) return;
    const text = `${name()} in body must be of type ${format}: ${JSON.stringify(value)}`;
    this.errors.typeInvalid(place(), '', value, text);
  }

  #number(value: number, schema: Structural, path: SchemaPath): void {
    this.#checks++;
    const { maximum, minimum, multipleOf } = schema;
    this.#range(value, schema, path);
    const say = (rule: string): void => {
      this.errors.invalid(
        path.under(this.#at),
        '',
        value,
        `${path.toString()} in body should be ${rule}`,
      );
    };
    if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
      say(`a multiple of ${goFloat(multipleOf)}`);
    }
    if (maximum !== undefined) {
      if (schema.exclusiveMaximum && value >= maximum) say(`less than ${goFloat(maximum)}`);
      else if (!schema.exclusiveMaximum && value > maximum) {
        say(`less than or equal to ${goFloat(maximum)}`);
      }
    }
    if (minimum !== undefined) {
      if (schema.exclusiveMinimum && value <= minimum) say(`greater than ${goFloat(minimum)}`);
      else if (!schema.exclusiveMinimum && value < minimum) {
        say(`greater than or equal to ${goFloat(minimum)}`);
      }
    }
  }

  /** Numbers that the type of the schema cannot hold. */
  #range(value: number, { types, format }: Structural, path: SchemaPath): void {
    const isInt32 = format === 'int32';
    if (types[0] !== 'integer' || types.length > 1 || !Number.isInteger(value)) return;
    const limit = isInt32 ? 2 ** 31 : 2 ** 63;
    if (value >= -limit && value < limit) return;
    const kind = isInt32 || format === 'int64' ? `with format ${format}` : '(default format)';
    this.#plain(`Checked value must be of type integer ${kind} in ${path.toString()}`);
  }

  #list(list: readonly unknown[], schema: Structural, path: SchemaPath, old: unknown): void {
    this.#checks++;
    const { items, minItems, maxItems } = schema;
    if (items !== undefined) {
      const find = this.#ratchets ? itemLookup(schema, old) : undefined;
      list.forEach((item, index) => {
        this.visit(item, items, path.at(index), find?.(item) ?? unrelated);
      });
    }
    const place = path.under.bind(path, this.#at);
    if (minItems !== undefined && list.length < minItems) {
      const text = `${path.toString()} in body should have at least ${minItems} items`;
      this.errors.invalid(place(), '', list.length, text);
    }
    if (maxItems !== undefined && list.length > maxItems) {
      this.errors.tooMany(place(), '', list.length, maxItems);
    }
  }

  #map(
    map: Readonly<Record<string, unknown>>,
    schema: Structural,
    path: SchemaPath,
    old: unknown,
  ): void {
    this.#checks++;
    const { properties, additional, minProperties, maxProperties, required } = schema;
    if (minProperties !== undefined || maxProperties !== undefined) {
      const count = Object.keys(map).length;
      if (count < (minProperties ?? 0)) {
        const text = `${path.toString()} in body should have at least ${minProperties} properties`;
        this.errors.invalid(path.under(this.#at), '', count, text);
        return;
      }
      if (maxProperties !== undefined && count > maxProperties) {
        this.errors.tooMany(path.under(this.#at), '', count, maxProperties);
        return;
      }
    }
    for (const key in map) {
      const value = map[key];
      if (value === undefined) continue;
      const property = properties?.get(key) ?? additional;
      if (property === undefined || property === true) continue;
      const below = path.child(key);
      if (property === false) {
        const text = `${below.toString()} in body is a forbidden property`;
        this.errors.invalid(below.under(this.#at), '', '', text);
        continue;
      }
      this.visit(value, property, below, this.#ratchets ? fieldOfOld(old, key) : unrelated);
    }
    for (const name of required) {
      if (map[name] === undefined) this.errors.required(path.child(name).under(this.#at), '');
    }
  }

  #combine(value: unknown, schema: Structural, path: SchemaPath): void {
    const { anyOf, oneOf, allOf, not } = schema;
    if (anyOf.length > 0) this.#anyOf(value, anyOf, path);
    if (oneOf.length > 0) this.#oneOf(value, oneOf, path);
    if (allOf.length > 0) this.#allOf(value, allOf, path);
    if (not !== undefined && this.#try(value, not, path).errors.length === 0) {
      this.#plain(`"${path.toString()}" must not validate the schema (not)`);
    }
  }

  #anyOf(value: unknown, schemas: readonly Structural[], path: SchemaPath): void {
    const results = schemas.map((schema) => this.#try(value, schema, path));
    if (results.some(({ errors }) => errors.length === 0)) return;
    this.#plain(`"${path.toString()}" must validate at least one schema (anyOf)`);
    this.#take(closest(results));
  }

  #oneOf(value: unknown, schemas: readonly Structural[], path: SchemaPath): void {
    const results = schemas.map((schema) => this.#try(value, schema, path));
    const valid = results.filter(({ errors }) => errors.length === 0).length;
    if (valid === 1) return;
    const found = valid === 0 ? 'none valid' : `${valid} valid alternatives`;
    this.#plain(
      `"${path.toString()}" must validate one and only one schema (oneOf). Found ${found}`,
    );
    if (valid === 0) this.#take(closest(results));
  }

  #allOf(value: unknown, schemas: readonly Structural[], path: SchemaPath): void {
    let valid = 0;
    for (const schema of schemas) {
      const { errors } = this.#try(value, schema, path);
      if (errors.length === 0) valid++;
      this.#take(errors);
    }
    if (valid === schemas.length) return;
    const none = valid === 0 ? '. None validated' : '';
    this.#plain(`"${path.toString()}" must validate all the schemas (allOf)${none}`);
  }

  /** Checks an alternative by itself; places in it count as changed, whatever they were. */
  #try(value: unknown, schema: Structural, path: SchemaPath): Attempt {
    const inner = new Walk(this.#at, false);
    inner.visit(value, schema, path, unrelated);
    return { errors: inner.errors.errors, checks: inner.#checks };
  }

  #take(errors: readonly FieldError[]): void {
    for (const error of errors) this.errors.errors.push(error);
  }

  /** An error that upstream knows no place of. */
  #plain(text: string): void {
    const field = this.#at.toString();
    const message = `Invalid value: "": ${text}`;
    this.errors.errors.push({
      type: 'FieldValueInvalid',
      field: field === '' ? '<nil>' : field,
      message,
    });
  }
}

interface Attempt {
  readonly errors: readonly FieldError[];
  readonly checks: number;
}

function closest(results: readonly Attempt[]): readonly FieldError[] {
  let best = results[0];
  for (const result of results) if (result.checks > (best?.checks ?? 0)) best = result;
  return best?.errors ?? [];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) length--;
  }
  return length;
}

function matchesPattern(schema: Structural, pattern: string, text: string): boolean {
  let compiled = patterns.get(schema);
  if (compiled === undefined) {
    compiled = compile(pattern);
    patterns.set(schema, compiled);
  }
  return compiled?.test(text) !== false;
}

/** A pattern that was stored before it was checked matches everything. */
function compile(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null;
  }
}

function isMultiple(value: number, factor: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  return Number.isInteger(value / factor);
}
