/**
 * The worst and best case of an expression's cost before it runs, after cel-go's checker/cost.go.
 * Kubernetes refuses rules by these numbers, so they have to be the same ones.
 */
import type { Type } from '../check/type.ts';
import { unwrapOptional } from '../check/type.ts';
import { accumulatorName } from '../parse/macro-parts.ts';
import type { CallNode, ComprehensionNode, Expr } from '../source/ast.ts';
import { stringSize } from '../values/size.ts';
import type { CelType } from '../types.ts';
import { estimateCall } from './estimate-call.ts';
import { declaredSize, type Path } from './declared-size.ts';
import {
  addRanges,
  type CostRange,
  fixed,
  multiplyRanges,
  unionRanges,
  unknownSize,
  zeroCost,
} from './range.ts';

/** Sizes of the keys (or indexes) and values of a list or map. */
export interface EntrySize {
  readonly kind: 'list' | 'map';
  readonly key: CostRange;
  readonly value: CostRange;
}

interface Local {
  readonly path: Path;
  readonly size: CostRange | undefined;
  readonly entry: EntrySize | undefined;
}

const listCost = fixed(10);
const mapCost = fixed(30);
const structCost = fixed(40);

const scalarKinds = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

function isScalar(type: Type | undefined): boolean {
  if (type === undefined) return false;
  const inner = unwrapOptional(type);
  return inner === undefined ? scalarKinds.has(type.kind) : isScalar(inner);
}

function literalSize(node: Expr): CostRange | undefined {
  switch (node.kind) {
    case 'literal': {
      const { literal } = node;
      if (literal.kind === 'string') return fixed(stringSize(literal.value));
      return literal.kind === 'bytes' ? fixed(literal.value.length) : fixed(1);
    }
    case 'list':
      return fixed(node.elements.length);
    case 'map':
      return fixed(node.entries.length);
    default:
      return undefined;
  }
}

function unionEntries(a?: EntrySize, b?: EntrySize): EntrySize | undefined {
  if (a === undefined || b === undefined) return undefined;
  return { kind: a.kind, key: unionRanges(a.key, b.key), value: unionRanges(a.value, b.value) };
}

export class Estimator {
  readonly #variables: Readonly<Record<string, CelType>>;
  readonly #paths = new Map<Expr, Path>();
  readonly #sizes = new Map<Expr, CostRange>();
  readonly #entries = new Map<Expr, EntrySize>();
  readonly #costs = new Map<Expr, CostRange>();
  readonly #locals = new Map<string, Local[]>();

  constructor(variables: Readonly<Record<string, CelType>>) {
    this.#variables = variables;
  }

  /** Parts that macros use twice are estimated once. */
  cost(node: Expr): CostRange {
    const known = this.#costs.get(node);
    if (known !== undefined) return known;
    const cost = this.#costOf(node);
    this.#costs.set(node, cost);
    return cost;
  }

  #costOf(node: Expr): CostRange {
    switch (node.kind) {
      case 'literal':
        return zeroCost;
      case 'ident':
        this.#paths.set(node, this.#local(node.name)?.path ?? [node.name]);
        return fixed(1);
      case 'select': {
        const operand = this.cost(node.operand);
        // Kubernetes keeps presence tests free.
        if (node.testOnly) return operand;
        const kind = node.operand.type?.kind ?? (node.resolved === undefined ? 'dyn' : 'struct');
        const isSelection = kind === 'map' || kind === 'struct' || kind === 'param';
        this.#paths.set(node, [...(this.pathOf(node.operand) ?? []), node.field]);
        return isSelection ? addRanges(operand, fixed(1)) : operand;
      }
      case 'call':
        return this.#costOfCall(node);
      case 'list':
        return this.#costOfList(node);
      case 'map':
        return this.#costOfMap(node);
      case 'struct':
        return addRanges(...node.fields.map((field) => this.cost(field.value)), structCost);
      default:
        return this.#isBind(node) ? this.#costOfBind(node) : this.#costOfLoop(node);
    }
  }

  #costOfList(node: Expr & { kind: 'list' }): CostRange {
    const costs = node.elements.map((child) => this.cost(child));
    const value = node.elements
      .map((child) => this.sizeOrUnknown(child))
      .reduce<CostRange | undefined>(
        (a, b) => (a === undefined ? b : unionRanges(a, b)),
        undefined,
      );
    this.#entries.set(node, { kind: 'list', key: fixed(1), value: value ?? zeroCost });
    return addRanges(...costs, listCost);
  }

  #costOfMap(node: Expr & { kind: 'map' }): CostRange {
    const costs: CostRange[] = [];
    let key: CostRange | undefined;
    let value: CostRange | undefined;
    for (const entry of node.entries) {
      costs.push(this.cost(entry.key), this.cost(entry.value));
      const keySize = this.sizeOrUnknown(entry.key);
      const valueSize = this.sizeOrUnknown(entry.value);
      key = key === undefined ? keySize : unionRanges(key, keySize);
      value = value === undefined ? valueSize : unionRanges(value, valueSize);
    }
    this.#entries.set(node, { kind: 'map', key: key ?? zeroCost, value: value ?? zeroCost });
    return addRanges(...costs, mapCost);
  }

  #costOfCall(node: CallNode): CostRange {
    if (node.name === 'dyn' && node.args[0] !== undefined) {
      const [arg] = node.args;
      const cost = addRanges(this.cost(arg), fixed(1));
      this.setSize(node, this.sizeOf(arg));
      this.setEntry(node, this.entryOf(arg));
      return cost;
    }
    const args = node.args.map((arg) => this.cost(arg));
    const ids = node.overloads ?? [];
    if (ids.length === 0) return zeroCost;
    const isMember = node.target !== undefined && node.resolved === undefined;
    const target = isMember ? node.target : undefined;
    const targetCost = target === undefined ? zeroCost : this.cost(target);
    const name = node.resolved ?? node.name.replace(/^\./, '');
    let callCost: CostRange | undefined;
    let size: CostRange | undefined;
    for (const id of ids) {
      const estimate = estimateCall(this, { node, name, id, target, args: node.args, costs: args });
      callCost = callCost === undefined ? estimate.cost : unionRanges(callCost, estimate.cost);
      if (estimate.size !== undefined) {
        size = size === undefined ? estimate.size : unionRanges(size, estimate.size);
      }
      if (id === 'index_list' || id === 'index_map') {
        const container = node.args[0] as Expr;
        size = this.entryOf(container)?.value;
        const part = id === 'index_list' ? '@items' : '@values';
        this.#paths.set(node, [...(this.pathOf(container) ?? []), part]);
      }
      size ??= this.sizeOf(node);
    }
    this.setSize(node, size);
    return addRanges(targetCost, callCost ?? zeroCost);
  }

  #isBind(node: ComprehensionNode): boolean {
    return (
      node.range.kind === 'list' &&
      node.range.elements.length === 0 &&
      node.condition.kind === 'literal' &&
      node.condition.literal.value === false &&
      node.accumulator !== accumulatorName
    );
  }

  #costOfBind(node: ComprehensionNode): CostRange {
    const costs = [this.cost(node.range), this.cost(node.init)];
    this.#push(node.accumulator, {
      path: this.pathOf(node.init) ?? [],
      size: this.sizeOf(node.init),
      entry: this.entryOf(node.init),
    });
    costs.push(this.cost(node.result));
    this.setSize(node, this.sizeOf(node.result));
    this.setEntry(node, this.entryOf(node.result));
    this.#pop(node.accumulator);
    return addRanges(...costs);
  }

  #costOfLoop(node: ComprehensionNode): CostRange {
    const costs = [this.cost(node.range), this.cost(node.init)];
    this.#push(node.accumulator, {
      path: this.pathOf(node.init) ?? [],
      size: this.sizeOf(node.init),
      entry: this.entryOf(node.init),
    });
    const entry = this.entryOf(node.range);
    const isList = (entry?.kind ?? node.range.type?.kind) === 'list';
    const range = this.pathOf(node.range) ?? [];
    const key = { path: [...range, isList ? '@indices' : '@keys'], size: entry?.key };
    const value = { path: [...range, isList ? '@items' : '@values'], size: entry?.value };
    const single = isList ? value : key;
    this.#push(node.variable, {
      ...(node.variable2 === undefined ? single : key),
      entry: undefined,
    });
    if (node.variable2 !== undefined) this.#push(node.variable2, { ...value, entry: undefined });
    const round = addRanges(this.cost(node.condition), this.cost(node.step));
    this.#pop(node.variable);
    if (node.variable2 !== undefined) this.#pop(node.variable2);
    costs.push(this.cost(node.result));
    this.#pop(node.accumulator);
    const count = this.sizeOrUnknown(node.range);
    this.#setLoopSize(node, count);
    return addRanges(...costs, multiplyRanges(count, round));
  }

  #setLoopSize(node: ComprehensionNode, count: CostRange): void {
    if (node.init.kind === 'literal') this.setSize(node, this.sizeOf(node.init));
    if (node.init.kind !== 'list' && node.init.kind !== 'map') return;
    this.setSize(node, count);
    this.setEntry(node, this.entryOf(node.step));
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name) ?? [];
    this.#locals.set(name, stack);
    stack.push(local);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  pathOf(node: Expr): Path | undefined {
    if (node.kind === 'ident') {
      const local = this.#local(node.name);
      if (local !== undefined) return local.path;
    }
    return this.#paths.get(node);
  }

  setSize(node: Expr, size: CostRange | undefined): void {
    if (size !== undefined) this.#sizes.set(node, size);
  }

  setEntry(node: Expr, entry: EntrySize | undefined): void {
    if (entry !== undefined) this.#entries.set(node, entry);
  }

  entryOf(node: Expr): EntrySize | undefined {
    const known = this.#entries.get(node);
    if (known !== undefined || node.kind !== 'ident') return known;
    return this.#local(node.name)?.entry;
  }

  unionOfEntries(a: Expr, b: Expr): EntrySize | undefined {
    return unionEntries(this.entryOf(a), this.entryOf(b));
  }

  /** What the expression itself or the declarations say about a size. */
  sizeOf(node: Expr): CostRange | undefined {
    const known = this.#sizes.get(node) ?? literalSize(node);
    if (known !== undefined) return known;
    const declared = this.declaredSize(this.pathOf(node));
    if (declared !== undefined) {
      this.#sizes.set(node, declared);
      return declared;
    }
    if (isScalar(node.type)) return fixed(1);
    return node.kind === 'ident' ? this.#local(node.name)?.size : undefined;
  }

  declaredSize(path: Path | undefined): CostRange | undefined {
    return declaredSize(this.#variables, path);
  }

  sizeOrUnknown(node: Expr): CostRange {
    return this.sizeOf(node) ?? unknownSize;
  }
}
