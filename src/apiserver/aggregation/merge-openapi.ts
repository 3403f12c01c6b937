import { isDeepStrictEqual } from 'node:util';
import type { OpenApiV2Document } from '#schema/openapi/mod.ts';

type Json = Readonly<Record<string, unknown>>;
const definitionPrefix = '#/definitions/';

/** A document of somebody else and the paths in it that count. */
export interface OtherDocument {
  readonly document: OpenApiV2Document;
  /** `/apis/<group>/<version>`. */
  readonly prefix: string;
}

/**
 * One version 2 document of the own one and the paths of others, with the definitions that these
 * use. A definition that differs from the one already there under its name gets a name of its own.
 */
export function mergeOpenApiV2(
  own: OpenApiV2Document,
  others: readonly OtherDocument[],
): OpenApiV2Document {
  if (others.length === 0) return own;
  const base = own as unknown as { paths: Json; definitions: Json };
  const paths: Record<string, unknown> = { ...base.paths };
  const definitions: Record<string, unknown> = { ...base.definitions };
  for (const { document, prefix } of others) {
    const theirs = document as unknown as { paths: Json; definitions?: Json };
    const wanted = Object.entries(theirs.paths).filter(
      ([path]) => path === prefix || path.startsWith(`${prefix}/`),
    );
    const needed = usedDefinitions(wanted, theirs.definitions ?? {});
    const names = new Map<string, string>();
    for (const [name, definition] of needed) {
      names.set(name, freeName(name, definition, definitions));
    }
    for (const [name, definition] of needed) {
      definitions[names.get(name) ?? name] = renamed(definition, names);
    }
    for (const [path, item] of wanted) {
      if (!Object.hasOwn(paths, path)) paths[path] = renamed(item, names);
    }
  }
  return { ...own, paths, definitions } as unknown as OpenApiV2Document;
}

/** The definitions that a value refers to, directly or through others. */
function usedDefinitions(from: unknown, definitions: Json): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const name = key === '$ref' ? definitionName(inner) : undefined;
      if (name === undefined) visit(inner);
      else if (!found.has(name) && Object.hasOwn(definitions, name)) {
        found.set(name, definitions[name]);
        visit(definitions[name]);
      }
    }
  };
  visit(from);
  return found;
}

function definitionName(reference: unknown): string | undefined {
  if (typeof reference !== 'string' || !reference.startsWith(definitionPrefix)) return undefined;
  return reference.slice(definitionPrefix.length);
}

function freeName(name: string, definition: unknown, taken: Json): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}_v${count}`;
    if (!Object.hasOwn(taken, candidate) || isDeepStrictEqual(taken[candidate], definition)) {
      return candidate;
    }
  }
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((inner) => renamed(inner, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key === '$ref' ? definitionName(inner) : undefined;
      if (name === undefined) return [key, renamed(inner, names)];
      return [key, `${definitionPrefix}${names.get(name) ?? name}`];
    }),
  );
}
