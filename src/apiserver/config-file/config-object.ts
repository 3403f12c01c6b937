import { messageOf } from '#base/errors.ts';
import { yamlLibrary } from '#base/yaml-library.ts';

/** A mapping of a configuration file whose fields are read by name and sort. */
export class ConfigObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`${path === '' ? 'the file' : path} must hold fields`);
    }
    this.#fields = value as Record<string, unknown>;
    this.#path = path;
  }

  /** Throws for fields that are not `known`: they are spelled wrong or of a later version. */
  only(known: readonly string[]): this {
    const unknown = Object.keys(this.#fields).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new Error(
        `strict decoding error: unknown field ${JSON.stringify(this.pathOf(unknown))}`,
      );
    }
    return this;
  }

  pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  /** The same fields; errors name them as if they stood directly in `path`. */
  toldAs(path: string): ConfigObject {
    return new ConfigObject(this.#fields, path);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** Empty when absent. */
  text(name: string): string {
    const value = this.#fields[name] ?? '';
    if (typeof value !== 'string') throw this.#wrong(name, 'a text');
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value !== undefined && typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#fields[name] ?? [];
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
      throw this.#wrong(name, 'a list of texts');
    }
    return value;
  }

  object(name: string): ConfigObject | undefined {
    if (!this.has(name)) return undefined;
    return new ConfigObject(this.#fields[name], this.pathOf(name));
  }

  objects(name: string): readonly ConfigObject[] {
    const value = this.#fields[name] ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list');
    return value.map((one, index) => new ConfigObject(one, `${this.pathOf(name)}[${index}]`));
  }

  #wrong(name: string, wanted: string): Error {
    return new Error(`${this.pathOf(name)} must be ${wanted}`);
  }
}

const group = 'apiserver.config.k8s.io';

/** The object of a configuration file (YAML or JSON) of this kind. */
export function readConfigObject(
  text: string,
  kind: string,
  versions: readonly string[],
): ConfigObject {
  let value: unknown;
  try {
    value = yamlLibrary().parse(text, { uniqueKeys: true });
  } catch (error) {
    throw new Error(messageOf(error).split('\n')[0] ?? '', { cause: error });
  }
  const object = new ConfigObject(value, '');
  const known = versions.map((version) => `${group}/${version}`);
  if (!known.includes(object.text('apiVersion')) || object.text('kind') !== kind) {
    throw new Error(
      `no kind ${JSON.stringify(object.text('kind'))} is registered for version ${JSON.stringify(object.text('apiVersion'))}: ${kind} of ${known.join(' or ')} expected`,
    );
  }
  return object;
}
