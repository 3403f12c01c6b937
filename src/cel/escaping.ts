/** Names of properties as CEL identifiers, the way of Kubernetes. */

const reserved = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

const escapable = /^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/;

/** Identifier for a property, or undefined when no expression can reach it. */
export function escapeProperty(name: string): string | undefined {
  if (!escapable.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replaceAll(/__|\.|-|\//g, (match) => {
    if (match === '__') return '__underscores__';
    if (match === '.') return '__dot__';
    if (match === '-') return '__dash__';
    return '__slash__';
  });
}

const sequences: Readonly<Record<string, string>> = {
  __underscores__: '__',
  __dot__: '.',
  __dash__: '-',
  __slash__: '/',
};

/** Property for an identifier, or undefined when it is not the escaped form of any. */
export function unescapeProperty(identifier: string): string | undefined {
  if (!identifier.includes('__')) return reserved.has(identifier) ? undefined : identifier;
  const keyword = /^__(.*)__$/.exec(identifier)?.[1];
  if (keyword !== undefined && reserved.has(keyword)) return keyword;
  const name = identifier.replaceAll(
    /__(?:underscores|dot|dash|slash)__/g,
    (match) => sequences[match] ?? match,
  );
  return escapeProperty(name) === identifier ? name : undefined;
}
