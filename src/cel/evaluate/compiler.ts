/**
 * Turns a checked tree into closures. Each closure adds what its step costs at run time, as
 * cel-go's cost tracker counts it.
 */
import type { FunctionTable } from '../check/declaration.ts';
import { CelRuntimeError } from '../errors.ts';
import type { CelMessages } from '../types.ts';
import type { Expr, IdentNode, ListNode, Literal, MapNode, SelectNode } from '../source/ast.ts';
import { normalInt } from '../values/integers.ts';
import { CelList, type Convert } from '../values/list.ts';
import { ComputedMap } from '../values/map.ts';
import { element, isPresent } from '../values/select.ts';
import { CelDouble, CelOptional, CelTypeValue, CelUint, type CelValue } from '../values/value.ts';
import { isAttribute } from './attribute.ts';
import { compileCall } from './compile-call.ts';
import { compileComprehension } from './compile-loop.ts';
import { compileStruct } from './compile-struct.ts';
import { charge, type Evaluate, Failure, type Frame } from './frame.ts';

export interface CompilerOptions {
  readonly functions: FunctionTable;
  /** How variables turn into values; absent: as they are. */
  readonly variables: ReadonlyMap<string, Convert | undefined>;
  /** Names that are types. */
  readonly typeNames: ReadonlyMap<string, string>;
  /** Fold constants, as Kubernetes does; off only to compare costs with cel-go's own tests. */
  readonly foldsConstants: boolean;
  /** Types that may be constructed. */
  readonly messages: CelMessages | undefined;
}

function literalValue(literal: Literal): CelValue {
  switch (literal.kind) {
    case 'int':
      return normalInt(literal.value);
    case 'uint':
      return new CelUint(literal.value);
    case 'double':
      return new CelDouble(literal.value);
    default:
      return literal.value;
  }
}

interface Local {
  readonly slot: number;
  readonly mayFail: boolean;
}

/** Costs of creating lists and maps. */
const listCost = 10;
const mapCost = 30;

export class Compiler {
  readonly options: CompilerOptions;
  readonly #globals = new Map<string, number>();
  readonly #locals = new Map<string, Local[]>();
  readonly #constants = new Map<Expr, CelValue>();
  readonly #compiled = new Map<Expr, Evaluate>();
  slotCount = 0;

  constructor(options: CompilerOptions) {
    this.options = options;
  }

  newSlot(): number {
    this.slotCount += 1;
    return this.slotCount - 1;
  }

  /** Compiles `body` with a loop's variable in scope. */
  withLocal<T>(name: string, local: Local, body: () => T): T {
    const stack = this.#locals.get(name) ?? [];
    this.#locals.set(name, stack);
    stack.push(local);
    const result = body();
    stack.pop();
    return result;
  }

  /** The value of a node that is constant, if constants are folded. */
  constantOf(node: Expr): CelValue | undefined {
    if (node.kind === 'literal') return literalValue(node.literal);
    return this.#constants.get(node);
  }

  /** Marks a node as constant and compiles it to that. */
  constant(node: Expr, value: CelValue): Evaluate {
    this.#constants.set(node, value);
    return () => value;
  }

  /** Parts that macros use twice are compiled once. */
  compile(node: Expr): Evaluate {
    const known = this.#compiled.get(node);
    if (known !== undefined) return known;
    const made = this.#compileNode(node, true);
    this.#compiled.set(node, made);
    return made;
  }

  /** As compile, but reading the variable that a path starts with costs nothing. */
  compileFree(node: Expr): Evaluate {
    return isAttribute(node) ? this.#compileNode(node, false) : this.compile(node);
  }

  #compileNode(node: Expr, isCharged: boolean): Evaluate {
    switch (node.kind) {
      case 'literal':
        return this.constant(node, literalValue(node.literal));
      case 'ident':
        return this.#compileIdent(node, isCharged);
      case 'select':
        return this.#compileSelect(node, isCharged);
      case 'call':
        return compileCall(this, node, isCharged);
      case 'list':
        return this.#compileList(node);
      case 'map':
        return this.#compileMap(node);
      case 'comprehension':
        return compileComprehension(this, node);
      default:
        return compileStruct(this, node);
    }
  }

  #compileIdent(node: IdentNode, isCharged: boolean): Evaluate {
    const cost = isCharged ? 1 : 0;
    const local = node.name.startsWith('.') ? undefined : this.#locals.get(node.name)?.at(-1);
    if (local === undefined) return this.#compileGlobal(node.name.replace(/^\./, ''), cost);
    const { slot, mayFail } = local;
    if (!mayFail) {
      return (frame) => {
        frame.cost += cost;
        return frame.slots[slot] as CelValue;
      };
    }
    return (frame) => {
      frame.cost += cost;
      const value = frame.slots[slot];
      if (value instanceof Failure) throw value.error;
      return value as CelValue;
    };
  }

  #compileGlobal(name: string, cost: number): Evaluate {
    const typeName = this.options.typeNames.get(name);
    if (typeName !== undefined && !this.options.variables.has(name)) {
      const value = new CelTypeValue(typeName);
      return (frame) => {
        frame.cost += cost;
        return value;
      };
    }
    let slot = this.#globals.get(name);
    if (slot === undefined) {
      slot = this.newSlot();
      this.#globals.set(name, slot);
    }
    const at = slot;
    const convert = this.options.variables.get(name);
    const read = (frame: Frame): CelValue => {
      const raw = frame.variables[name];
      if (raw === undefined) throw new CelRuntimeError(`no such attribute(s): ${name}`);
      const value = convert === undefined ? (raw as CelValue) : convert(raw);
      frame.slots[at] = value;
      return value;
    };
    return (frame) => {
      frame.cost += cost;
      const value = frame.slots[at];
      return value === undefined ? read(frame) : (value as CelValue);
    };
  }

  #compileSelect(node: SelectNode, isCharged: boolean): Evaluate {
    const { field, operand: operandNode } = node;
    if (node.resolved !== undefined) return this.#compileGlobal(node.resolved, isCharged ? 1 : 0);
    if (node.testOnly) {
      const operand = this.compileFree(operandNode);
      return (frame) => isPresent(operand(frame), field);
    }
    const cost = isAttribute(operandNode) || !isCharged ? 1 : 2;
    const operand = isCharged ? this.compile(operandNode) : this.compileFree(operandNode);
    return (frame) => {
      const container = operand(frame);
      frame.cost += cost;
      return element(container, field);
    };
  }

  #constantsOf(nodes: readonly Expr[]): CelValue[] | undefined {
    if (!this.options.foldsConstants) return undefined;
    const values = nodes.map((node) => this.constantOf(node));
    return values.every((value) => value !== undefined) ? values : undefined;
  }

  #compileList(node: ListNode): Evaluate {
    const elements = node.elements.map((child) => this.compile(child));
    const constants = node.optionals.size === 0 ? this.#constantsOf(node.elements) : undefined;
    if (constants !== undefined) return this.constant(node, new CelList(constants));
    const { optionals } = node;
    return (frame) => {
      const values: CelValue[] = [];
      for (const [index, evaluate] of elements.entries()) {
        const value = evaluate(frame);
        if (!optionals.has(index)) values.push(value);
        else addPresent(value, (present) => values.push(present));
      }
      charge(frame, listCost);
      return new CelList(values);
    };
  }

  #compileMap(node: MapNode): Evaluate {
    const entries = node.entries.map(({ key, value, optional }) => ({
      key: this.compile(key),
      value: this.compile(value),
      optional,
    }));
    const hasOptional = entries.some(({ optional }) => optional);
    const constants = hasOptional
      ? undefined
      : this.#constantsOf(node.entries.flatMap(({ key, value }) => [key, value]));
    if (constants !== undefined) {
      const pairs = node.entries.map((_entry, index): [CelValue, CelValue] => [
        constants[index * 2] as CelValue,
        constants[index * 2 + 1] as CelValue,
      ]);
      const folded = tryMap(pairs);
      if (folded !== undefined) return this.constant(node, folded);
    }
    return (frame) => {
      const pairs: [CelValue, CelValue][] = [];
      for (const { key, value, optional } of entries) {
        const name = key(frame);
        const content = value(frame);
        if (!optional) pairs.push([name, content]);
        else addPresent(content, (present) => pairs.push([name, present]));
      }
      charge(frame, mapCost);
      return ComputedMap.of(pairs);
    };
  }
}

function addPresent(value: CelValue, add: (present: CelValue) => void): void {
  if (!(value instanceof CelOptional)) throw new CelRuntimeError('no such overload');
  if (value.value !== undefined) add(value.value);
}

/** Undefined when the keys are not fit: the error belongs to the evaluation. */
function tryMap(pairs: readonly [CelValue, CelValue][]): ComputedMap | undefined {
  try {
    return ComputedMap.of(pairs);
  } catch {
    return undefined;
  }
}
