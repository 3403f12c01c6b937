/** Comprehensions, with the costs of the expansion that cel-go evaluates. */
import { CelRuntimeError } from '../errors.ts';
import type { ComprehensionNode, Expr } from '../source/ast.ts';
import { CelList } from '../values/list.ts';
import { CelMap, ComputedMap, keyText } from '../values/map.ts';
import { noSuchOverload } from '../values/operators.ts';
import type { CelValue } from '../values/value.ts';
import type { Compiler } from './compiler.ts';
import { charge, type Evaluate, Failure, type Frame, rethrowFatal } from './frame.ts';
import { type LoopShape, loopShape } from './loop-shape.ts';
import { type Range, rangeOf } from './range.ts';

/** Reading the accumulator. */
const readCost = 1;
const callCost = 1;
const listCost = 10;
const emptyRangeCost = 10;

interface Loop {
  readonly range: Evaluate;
  /** Compiles a part that sees the loop's variables. */
  inside(node: Expr): Evaluate;
  /** Sets the variables for one round. */
  readonly advance: (frame: Frame, range: Range, at: number) => void;
}

function prepare(compiler: Compiler, node: ComprehensionNode): Loop {
  const range = compiler.compile(node.range);
  const first = compiler.newSlot();
  const { variable, variable2 } = node;
  const slot = { slot: first, mayFail: false };
  if (variable2 === undefined) {
    return {
      range,
      inside: (part) => compiler.withLocal(variable, slot, () => compiler.compile(part)),
      advance: (frame, items, at) => {
        frame.slots[first] = items.single(at);
      },
    };
  }
  const second = compiler.newSlot();
  return {
    range,
    inside: (part) =>
      compiler.withLocal(variable, slot, () =>
        compiler.withLocal(variable2, { slot: second, mayFail: false }, () =>
          compiler.compile(part),
        ),
      ),
    advance: (frame, items, at) => {
      frame.slots[first] = items.first(at);
      frame.slots[second] = items.second(at);
    },
  };
}

type ShapeOf<K extends LoopShape['kind']> = LoopShape & { kind: K };

/** all and exists: the first deciding element ends the loop and absorbs errors before it. */
function compileQuantifier(
  compiler: Compiler,
  node: ComprehensionNode,
  { deciding, predicate }: ShapeOf<'quantifier'>,
): Evaluate {
  const loop = prepare(compiler, node);
  const test = loop.inside(predicate);
  const conditionCost = readCost + callCost + (deciding ? callCost : 0);
  return (frame) => {
    const items = rangeOf(loop.range(frame));
    const { size } = items;
    let failure: Failure | undefined;
    for (let at = 0; at < size; at++) {
      charge(frame, conditionCost + readCost);
      loop.advance(frame, items, at);
      let value: CelValue;
      try {
        value = test(frame);
      } catch (error) {
        rethrowFatal(error);
        failure ??= new Failure(error);
        continue;
      }
      if (value === deciding) {
        charge(frame, readCost + (at + 1 < size ? conditionCost : 0));
        return deciding;
      }
      if (typeof value !== 'boolean') failure ??= new Failure(noSuchOverload());
    }
    charge(frame, readCost);
    if (failure !== undefined) throw failure.error;
    return !deciding;
  };
}

/** map, filter and transformList. */
function compileListBuilder(
  compiler: Compiler,
  node: ComprehensionNode,
  shape: ShapeOf<'list'>,
): Evaluate {
  const loop = prepare(compiler, node);
  const filter = shape.filter === undefined ? undefined : loop.inside(shape.filter);
  const element = loop.inside(shape.element);
  const initCost = compiler.options.foldsConstants ? 0 : listCost;
  return (frame) => {
    const items = rangeOf(loop.range(frame));
    const { size } = items;
    const built: CelValue[] = [];
    charge(frame, initCost);
    for (let at = 0; at < size; at++) {
      loop.advance(frame, items, at);
      if (filter !== undefined && !isTrue(filter(frame))) {
        charge(frame, 0);
        continue;
      }
      built.push(element(frame));
      charge(frame, readCost + listCost + callCost);
    }
    charge(frame, readCost);
    return new CelList(built);
  };
}

function isTrue(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw noSuchOverload();
  return value;
}

type Entries = Map<string, readonly [CelValue, CelValue]>;

function insert(entries: Entries, key: CelValue, value: CelValue): void {
  const text = keyText(key);
  if (text === undefined) throw new CelRuntimeError('unsupported key type');
  if (entries.has(text)) {
    throw new CelRuntimeError(`insert failed: key ${text.slice(1)} already exists`);
  }
  entries.set(text, [key, value]);
}

/** transformMap and transformMapEntry. */
function compileMapBuilder(
  compiler: Compiler,
  node: ComprehensionNode,
  shape: ShapeOf<'map'>,
): Evaluate {
  const loop = prepare(compiler, node);
  const filter = shape.filter === undefined ? undefined : loop.inside(shape.filter);
  const key = shape.key === undefined ? undefined : loop.inside(shape.key);
  const value = loop.inside(shape.value);
  const initCost = compiler.options.foldsConstants ? 0 : 30;
  return (frame) => {
    const items = rangeOf(loop.range(frame));
    const { size } = items;
    const entries: Entries = new Map();
    charge(frame, initCost);
    for (let at = 0; at < size; at++) {
      loop.advance(frame, items, at);
      if (filter !== undefined && !isTrue(filter(frame))) {
        charge(frame, 0);
        continue;
      }
      if (key !== undefined) {
        insert(entries, key(frame), value(frame));
      } else {
        const added = value(frame);
        if (!(added instanceof CelMap)) throw noSuchOverload();
        for (const name of added.keys()) insert(entries, name, added.find(name) as CelValue);
      }
      charge(frame, readCost + callCost);
    }
    charge(frame, readCost);
    return new ComputedMap(entries);
  };
}

/** optMap, sortBy and cel.bind: a name for a value. */
function compileBind(compiler: Compiler, node: ComprehensionNode): Evaluate {
  const init = compiler.compile(node.init);
  const slot = compiler.newSlot();
  const result = compiler.withLocal(node.accumulator, { slot, mayFail: true }, () =>
    compiler.compile(node.result),
  );
  const rangeCost = compiler.options.foldsConstants ? 0 : emptyRangeCost;
  return (frame) => {
    charge(frame, rangeCost);
    try {
      frame.slots[slot] = init(frame);
    } catch (error) {
      rethrowFatal(error);
      frame.slots[slot] = new Failure(error);
    }
    return result(frame);
  };
}

function compileGeneric(compiler: Compiler, node: ComprehensionNode): Evaluate {
  const loop = prepare(compiler, node);
  const init = compiler.compile(node.init);
  const slot = compiler.newSlot();
  const local = { slot, mayFail: true };
  const withAccumulator = (part: () => Evaluate): Evaluate =>
    compiler.withLocal(node.accumulator, local, part);
  const condition = withAccumulator(() => loop.inside(node.condition));
  const step = withAccumulator(() => loop.inside(node.step));
  const result = withAccumulator(() => compiler.compile(node.result));
  const neverStops = node.condition.kind === 'literal';
  return (frame) => {
    const items = rangeOf(loop.range(frame));
    frame.slots[slot] = init(frame);
    for (let at = 0; at < items.size; at++) {
      loop.advance(frame, items, at);
      if (condition(frame) !== true) break;
      charge(frame, 0);
      try {
        frame.slots[slot] = step(frame);
      } catch (error) {
        rethrowFatal(error);
        frame.slots[slot] = new Failure(error);
        if (neverStops) break;
      }
    }
    return result(frame);
  };
}

export function compileComprehension(compiler: Compiler, node: ComprehensionNode): Evaluate {
  const shape = loopShape(node);
  switch (shape.kind) {
    case 'bind':
      return compileBind(compiler, node);
    case 'quantifier':
      return compileQuantifier(compiler, node, shape);
    case 'list':
      return compileListBuilder(compiler, node, shape);
    case 'map':
      return compileMapBuilder(compiler, node, shape);
    default:
      return compileGeneric(compiler, node);
  }
}
