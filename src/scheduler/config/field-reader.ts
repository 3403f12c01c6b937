import { parseDuration } from '#base/duration.ts';
import { K3tsError } from '#base/errors.ts';

/**
 * Reads the fields of one object of a configuration file. Every problem becomes a K3tsError Usage
 * with the field's path; `end` refuses fields that nobody asked for, as upstream's strict decoding.
 */
export class FieldReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #seen = new Set<string>(['apiVersion', 'kind']);

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new K3tsError('Usage', `${path === '' ? 'the file' : path} must be an object`);
    }
    this.#fields = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  at(field: string): string {
    return this.#path === '' ? field : `${this.#path}.${field}`;
  }

  raw(field: string): unknown {
    this.#seen.add(field);
    const value = this.#fields[field];
    return value === null ? undefined : value;
  }

  string(field: string): string | undefined {
    return this.#typed(field, 'string', 'a string');
  }

  boolean(field: string): boolean | undefined {
    return this.#typed(field, 'boolean', 'true or false');
  }

  /** Whole and within the bounds, both included; `problem` is said of what is out of them. */
  integer(
    field: string,
    minimum: number,
    maximum = Number.MAX_SAFE_INTEGER,
    problem?: string,
  ): number | undefined {
    const value = this.#typed<number>(field, 'number', 'a number');
    if (value === undefined) return undefined;
    if (!Number.isInteger(value)) {
      return this.fail(field, `Invalid value: ${value}: must be a whole number`);
    }
    if (value >= minimum && value <= maximum) return value;
    const end = maximum === Number.MAX_SAFE_INTEGER ? 'inf)' : `${maximum}]`;
    const said = problem ?? `not in valid range [${minimum}, ${end}`;
    return this.fail(field, `Invalid value: ${value}: ${said}`);
  }

  /** A duration as Go writes it, such as `5s`. */
  durationMs(field: string): number | undefined {
    const text = this.string(field);
    if (text === undefined) return undefined;
    try {
      return parseDuration(text);
    } catch {
      return this.fail(field, `Invalid value: "${text}": must be a duration such as 5s`);
    }
  }

  oneOf<T extends string>(field: string, allowed: readonly T[]): T | undefined {
    const text = this.string(field);
    if (text === undefined) return undefined;
    const found = allowed.find((one) => one === text);
    if (found !== undefined) return found;
    const values = allowed.map((one) => `"${one}"`).join(', ');
    return this.fail(field, `Unsupported value: "${text}": supported values: ${values}`);
  }

  object(field: string): FieldReader | undefined {
    const value = this.raw(field);
    return value === undefined ? undefined : new FieldReader(value, this.at(field));
  }

  /** Readers of the elements; empty when the field is absent. */
  objects(field: string): FieldReader[] {
    return this.list(field).map(
      (value, index) => new FieldReader(value, `${this.at(field)}[${index}]`),
    );
  }

  strings(field: string): string[] {
    return this.list(field).map((value) =>
      typeof value === 'string' ? value : this.fail(field, 'must be a list of strings'),
    );
  }

  list(field: string): readonly unknown[] {
    const value = this.raw(field);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : this.fail(field, 'must be a list');
  }

  fail(field: string, problem: string): never {
    throw new K3tsError('Usage', `${this.at(field)}: ${problem}`);
  }

  end(): void {
    for (const field of Object.keys(this.#fields)) {
      if (!this.#seen.has(field)) {
        throw new K3tsError('Usage', `strict decoding error: unknown field "${this.at(field)}"`);
      }
    }
  }

  #typed<T>(field: string, type: 'string' | 'boolean' | 'number', wanted: string): T | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    return typeof value === type ? (value as T) : this.fail(field, `must be ${wanted}`);
  }
}
