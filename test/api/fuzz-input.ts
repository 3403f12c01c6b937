import type { Random } from '#base/random.ts';

type Schema = {
  $ref?: string;
  type?: string;
  format?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
};

/** A kind that can be sent, with the schema that tells which fields it has. */
export interface FuzzKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: Schema;
}

const words = [
  '',
  'a',
  'x-y',
  'default',
  'kube-system',
  'A_B',
  '-1',
  '0',
  '1',
  '100m',
  '1Gi',
  '50%',
  '*',
  '/',
  '../..',
  'http://[::1',
  '10.0.0.1',
  '10.0.0.0/8',
  'fe80::1',
  '2026-01-01T00:00:00Z',
  '__proto__',
  'constructor',
  'Always',
  'ClusterIP',
  'TCP',
  'nginx',
  'kubernetes.io/x',
  '\u0000',
  'ё\u{1f600}',
  '\ud800',
  'x'.repeat(300),
  'MTIz',
  '{}',
  'self.x > 1',
  '=',
  '((',
];

const numbers = [0, 1, -1, 2, 65_535, 65_536, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1.5, 1e300, -0];

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)] as T;
}

/** Any JSON value, small. */
export function anyValue(random: Random, depth = 3): unknown {
  switch (random.integer(depth > 0 ? 8 : 6)) {
    case 0:
      return null;
    case 1:
      return random.integer(2) === 0;
    case 2:
      return pick(random, numbers);
    case 3:
    case 4:
    case 5:
      return pick(random, words);
    case 6:
      return Array.from({ length: random.integer(4) }, () => anyValue(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.integer(4) }, () => [
          pick(random, words),
          anyValue(random, depth - 1),
        ]),
      );
  }
}

/** Makes values that fit a schema, mostly. */
export class SchemaValues {
  readonly #definitions: Record<string, Schema>;
  readonly #random: Random;
  readonly kinds: readonly FuzzKind[];

  constructor(definitions: Record<string, Schema>, random: Random) {
    this.#definitions = definitions;
    this.#random = random;
    this.kinds = Object.values(definitions).flatMap((schema) => {
      const kinds = schema['x-kubernetes-group-version-kind'] ?? [];
      const [{ group, version, kind } = { group: '', version: '', kind: '' }] = kinds;
      if (kinds.length !== 1 || schema.properties?.['metadata'] === undefined) return [];
      return [{ apiVersion: group === '' ? version : `${group}/${version}`, kind, schema }];
    });
  }

  /** An object of this kind with random fields; its name is one of few. */
  object(kind: FuzzKind, chance = 0.5): Record<string, unknown> {
    const random = this.#random;
    const made = this.#fields(kind.schema, 6, chance) as Record<string, unknown>;
    const metadata: Record<string, unknown> = {
      ...(random.integer(5) === 0 ? (made['metadata'] as object | null) : {}),
      name: `fuzz-${random.integer(3)}`,
    };
    if (random.integer(4) === 0) delete metadata['resourceVersion'];
    return { ...made, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
  }

  #value(schema: Schema, depth: number, chance: number): unknown {
    const random = this.#random;
    if (random.integer(60) === 0) return anyValue(random, 2);
    if (schema.$ref !== undefined) {
      const name = schema.$ref.slice('#/definitions/'.length);
      return this.#value(this.#definitions[name] ?? {}, depth - 1, chance);
    }
    if (schema.enum !== undefined && random.integer(4) > 0) return pick(random, schema.enum);
    switch (schema.type) {
      case 'string':
        return pick(random, words);
      case 'integer':
        return pick(random, numbers);
      case 'number':
        return random.float();
      case 'boolean':
        return random.integer(2) === 0;
      case 'array': {
        if (depth <= 0) return [];
        const { items = {} } = schema;
        const count = random.integer(3);
        return Array.from({ length: count }, () => this.#value(items, depth - 1, chance));
      }
      default:
        return this.#fields(schema, depth, chance);
    }
  }

  #fields(schema: Schema, depth: number, chance: number): unknown {
    const random = this.#random;
    const { properties, additionalProperties } = schema;
    if (properties !== undefined) {
      const fields = Object.entries(properties).filter(() => random.float() < chance);
      return Object.fromEntries(
        depth <= 0
          ? []
          : fields.map(([name, field]) => [name, this.#value(field, depth - 1, chance)]),
      );
    }
    if (additionalProperties !== undefined && depth > 0) {
      return Object.fromEntries(
        Array.from({ length: random.integer(3) }, () => [
          pick(random, words),
          this.#value(additionalProperties, depth - 1, chance),
        ]),
      );
    }
    return anyValue(random, 1);
  }
}

/** Bytes with some of them changed, left out or doubled. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let i = random.integer(4); i >= 0 && result.length > 0; i--) {
    const at = random.integer(result.length);
    const to = Math.min(result.length, at + 1 + random.integer(8));
    switch (random.integer(3)) {
      case 0:
        result[at] = random.integer(256);
        break;
      case 1:
        result = Buffer.concat([result.subarray(0, at), result.subarray(to)]);
        break;
      default:
        result = Buffer.concat([result.subarray(0, to), result.subarray(at)]);
    }
  }
  return result;
}
