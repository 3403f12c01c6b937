import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import { goText } from '../patch/go-text.ts';
import { isFields } from '../patch/patch-errors.ts';
import { formatPath, itemElement, valueElement } from './list-key.ts';
import type { LeafShape, ListMapShape, SetShape, Shape } from './shape.ts';
import { deducedShape } from './shape.ts';

/**
 * Checks that a value fits its type: no unknown fields, lists and maps and scalars where they
 * belong, and an identity of its own for every item of a list with identities. Throws K3tsError
 * InvalidTyped with all findings and their paths, as upstream's typed values do.
 */
export function checkTyped(value: unknown, shape: Shape): void {
  const check = new TypedCheck();
  check.visit(value, shape);
  const [first, ...others] = check.findings;
  if (first === undefined) return;
  const message = others.length === 0 ? first : ['errors:', first, ...others].join('\n  ');
  throw new K3tsError('InvalidTyped', message);
}

class TypedCheck {
  readonly findings: string[] = [];
  readonly #path: string[] = [];

  visit(value: unknown, shape: Shape): void {
    if (value === null || value === undefined) return;
    switch (shape.kind) {
      case 'deduced':
      case 'skipped':
        return;
      case 'leaf':
        this.#leaf(value, shape);
        return;
      case 'set':
      case 'list-map':
        if (Array.isArray(value)) this.#list(value, shape);
        else this.#find(`expected list, got &{${goText(value)}}`);
        return;
      default:
        if (isFields(value)) this.#fields(value, shape);
        else this.#find(`expected map, got &{${goText(value)}}`);
    }
  }

  #leaf(value: unknown, { holds }: LeafShape): void {
    switch (holds) {
      case 'string':
        if (typeof value === 'string') return;
        this.#find(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
        return;
      case 'numeric':
        if (typeof value === 'number') return;
        this.#find(`expected numeric (int or float), got ${goType(value)}`);
        return;
      case 'boolean':
        if (typeof value !== 'boolean') this.#find(`expected boolean, got &{${goText(value)}}`);
        return;
      case 'list':
        if (!Array.isArray(value)) this.#find(`expected list, got &{${goText(value)}}`);
        return;
      case 'map':
        if (!isFields(value)) this.#find(`expected map, got &{${goText(value)}}`);
        return;
      default:
    }
  }

  #fields(value: Record<string, unknown>, shape: Shape & { kind: 'struct' | 'map' }): void {
    for (const key of Object.keys(value)) {
      this.#path.push(`f:${key}`);
      if (shape.kind === 'map') this.visit(value[key], shape.value);
      else {
        const field = shape.field(key);
        if (field !== undefined) this.visit(value[key], field.shape);
        else if (shape.isOpen) this.visit(value[key], deducedShape);
        else this.#find('field not declared in schema');
      }
      this.#path.pop();
    }
  }

  #list(list: readonly unknown[], shape: SetShape | ListMapShape): void {
    const seen = new Set<string>();
    for (const [index, item] of list.entries()) {
      const element = this.#elementOf(item, index, shape);
      if (element === undefined) continue;
      if (seen.has(element)) {
        this.#find(`duplicate entries for key ${formatPath([element])}`);
      }
      seen.add(element);
      if (shape.kind !== 'list-map') continue;
      this.#path.push(element);
      this.visit(item, shape.item);
      this.#path.pop();
    }
  }

  #elementOf(item: unknown, index: number, shape: SetShape | ListMapShape): string | undefined {
    if (shape.kind === 'set') return valueElement(item);
    try {
      return itemElement(item, shape);
    } catch (error) {
      if (!hasCode(error, 'MissingListKey')) throw error;
      this.#find(`element ${index}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #find(message: string): void {
    const path = formatPath(this.#path);
    this.findings.push(path === '' ? message : `${path}: ${message}`);
  }
}

/** A value as Go writes it in source. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isFields(value)) return JSON.stringify(value);
  const keys = Object.keys(value).toSorted();
  const pairs = keys.map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${pairs.join(', ')}}`;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isFields(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
