import type { Alias, Document, LineCounter, Node, Pair, Scalar, YAMLMap } from 'yaml';
import { K3tsError } from '#base/errors.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { nestsTooDeep } from './json-text.ts';
import { hasControlCharacters, yamlProblem } from './yaml-problem.ts';

/** Shorter texts cannot nest too deep. */
const longText = 2000;

/**
 * Whether aliases blow a document up, by the rule of upstream's parser: the share of nodes that
 * come out of aliases may be 99 % of a small document and falls to 10 % for one of four million
 * nodes.
 */
function isExcessive(aliasedNodes: number, nodes: number): boolean {
  if (aliasedNodes <= 100 || nodes <= 1000) return false;
  const [low, high] = [400_000, 4_000_000];
  const size = Math.min(Math.max(nodes, low), high);
  const allowed = 0.99 - 0.89 * ((size - low) / (high - low));
  return aliasedNodes / nodes > allowed;
}

/**
 * Reads the first YAML document as Kubernetes does: YAML 1.1 words for booleans, octal with a
 * leading 0, timestamps kept as text, keys always strings, the last of equal keys wins.
 * `duplicates` are the findings about equal keys, in upstream's words.
 */
export function readYaml(text: string): { value: unknown; duplicates: string[] } {
  if (text.length > longText && nestsTooDeep(Buffer.from(text), 'yaml')) {
    throw new K3tsError('YamlSyntax', 'yaml: exceeded max depth of 10000');
  }
  if (hasControlCharacters(text)) {
    throw new K3tsError('YamlSyntax', 'yaml: control characters are not allowed');
  }
  const yaml = yamlLibrary();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    lineCounter: lines,
    merge: true,
  });
  // upstream reads the first document and leaves the others
  const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (error !== undefined) {
    throw new K3tsError('YamlSyntax', `yaml: ${yamlProblem(error, text)}`, { cause: error });
  }
  const reader = new Reader(document, lines);
  const value = reader.read(document.contents);
  return { value, duplicates: reader.duplicates() };
}

class Reader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #repeated: string[] = [];
  /** Resolving walks the whole document: once for each alias, however often it is read. */
  readonly #aliases = new Map<Alias, Node | undefined>();
  #nodes = 0;
  #aliasedNodes = 0;
  #aliasDepth = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  duplicates(): string[] {
    if (this.#repeated.length === 0) return [];
    return [`yaml: unmarshal errors:\n${this.#repeated.map((text) => `  ${text}`).join('\n')}`];
  }

  read(node: Node | null | undefined): unknown {
    this.#nodes += 1;
    if (this.#aliasDepth > 0) this.#aliasedNodes += 1;
    if (isExcessive(this.#aliasedNodes, this.#nodes)) {
      throw new K3tsError('YamlSyntax', 'yaml: document contains excessive aliasing');
    }
    const { isAlias, isMap, isScalar, isSeq } = yamlLibrary();
    if (isAlias(node)) return this.#readAlias(node);
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item as Node));
    return isScalar(node) ? readScalar(node) : null;
  }

  #readAlias(alias: Alias): unknown {
    if (!this.#aliases.has(alias)) {
      const node = alias.resolve(this.#document);
      if (node === undefined) {
        throw new K3tsError('YamlSyntax', `yaml: unknown anchor '${alias.source}' referenced`);
      }
      this.#aliases.set(alias, node);
    }
    this.#aliasDepth += 1;
    const value = this.read(this.#aliases.get(alias));
    this.#aliasDepth -= 1;
    return value;
  }

  #map(node: YAMLMap): Record<string, unknown> {
    const own: Record<string, unknown> = {};
    let merged: Record<string, unknown> | undefined;
    const { isScalar } = yamlLibrary();
    for (const pair of node.items as Array<Pair<Node, Node | null>>) {
      if (isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.source === '<<') {
        merged = { ...merged, ...this.#mergeSources(pair.value) };
        continue;
      }
      const key = keyText(this.read(pair.key));
      if (Object.hasOwn(own, key)) this.#reportRepeated(pair, key);
      own[key] = this.read(pair.value);
    }
    return merged === undefined ? own : { ...merged, ...own };
  }

  #mergeSources(node: Node | null): Record<string, unknown> {
    const value = this.read(node);
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    return Object.assign({}, ...sources) as Record<string, unknown>;
  }

  #reportRepeated(pair: Pair<Node, Node | null>, key: string): void {
    const line = this.#lines.linePos(pair.key.range?.[0] ?? 0).line;
    this.#repeated.push(`line ${line}: key ${JSON.stringify(key)} already set in map`);
  }
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : JSON.stringify(key);
}

const words: ReadonlyMap<string, boolean | null | number> = new Map<
  string,
  boolean | null | number
>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, true] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const timestamp =
  /^\d{4}-\d{1,2}-\d{1,2}([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[+-]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?$/;
const decimalFloat = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const integers: ReadonlyArray<readonly [pattern: RegExp, base: number, prefix: number]> = [
  [/^0[xX][\da-fA-F]+$/, 16, 2],
  [/^0[bB][01]+$/, 2, 2],
  [/^0[oO][0-7]+$/, 8, 2],
  [/^0[0-7]+$/, 8, 1],
  [/^(0|[1-9]\d*)$/, 10, 0],
];

function readScalar(node: Scalar): unknown {
  const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
  if (node.tag === 'tag:yaml.org,2002:str' || node.tag === '!') return text;
  if (node.tag === 'tag:yaml.org,2002:binary') {
    return Buffer.from(text, 'base64').toString('utf8');
  }
  return node.type === 'PLAIN' || node.type === undefined ? resolvePlain(text) : text;
}

/** What an unquoted scalar stands for; same table as the parser of upstream (YAML 1.1 words). */
export function resolvePlain(text: string): unknown {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(text) || timestamp.test(text)) return text;
  const plain = text.replaceAll('_', '');
  const isNegative = plain.startsWith('-');
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  for (const [pattern, base, prefix] of integers) {
    if (!pattern.test(digits)) continue;
    const value = Number.parseInt(digits.slice(prefix), base);
    return isNegative ? -value : value;
  }
  return decimalFloat.test(plain) ? Number(plain) : text;
}
