/** Sizes that declarations promise, found by the path from a variable. */
import { unescapeProperty } from '../escaping.ts';
import type { CelType } from '../types.ts';
import type { CostRange } from './range.ts';

/** A variable, then field names, `@items`, `@keys`, `@values` or `@indices`. */
export type Path = readonly string[];

function child(type: CelType, part: string): CelType | undefined {
  switch (type.kind) {
    case 'list':
      return part === '@items' || part === '@values' ? type.element : undefined;
    case 'map':
      if (part === '@keys') return type.key;
      return part === '@items' || part === '@values' ? type.value : undefined;
    case 'object': {
      const property = unescapeProperty(part);
      return property === undefined ? undefined : type.fields.get(property)?.type;
    }
    default:
      return undefined;
  }
}

/** Kinds whose size is unknown when none is declared; others count as nothing, as in Kubernetes. */
const sized = new Set(['string', 'bytes', 'list', 'map', 'dyn']);

function sizeOf(type: CelType): CostRange | undefined {
  const maxSize = 'maxSize' in type ? type.maxSize : undefined;
  if (maxSize !== undefined) return { min: 0n, max: BigInt(Math.max(0, Math.trunc(maxSize))) };
  return sized.has(type.kind) ? undefined : { min: 0n, max: 0n };
}

export function declaredSize(
  variables: Readonly<Record<string, CelType>>,
  path: Path | undefined,
): CostRange | undefined {
  if (path === undefined || path.length === 0) return undefined;
  const [name = '', ...rest] = path;
  let type: CelType | undefined = Object.hasOwn(variables, name) ? variables[name] : undefined;
  for (const part of rest) {
    if (type === undefined) return undefined;
    type = child(type, part);
  }
  return type === undefined ? undefined : sizeOf(type);
}
