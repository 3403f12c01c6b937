/** Calls: the operators with rules of their own, then functions by their overloads. */
import type { Overload } from '../check/declaration.ts';
import { runtimeCostOf } from '../cost/runtime-cost.ts';
import { CelRuntimeError } from '../errors.ts';
import type { CallNode, Expr } from '../source/ast.ts';
import { CelList } from '../values/list.ts';
import { keyText } from '../values/map.ts';
import { element, optionalElement } from '../values/select.ts';
import { CelOptional, type CelValue } from '../values/value.ts';
import { isAttribute } from './attribute.ts';
import { compileAnd, compileConditional, compileNotFalse, compileOr } from './compile-logic.ts';
import type { Compiler } from './compiler.ts';
import { dispatcher } from './dispatch.ts';
import { charge, type Evaluate } from './frame.ts';

function compileIndex(compiler: Compiler, node: CallNode, isCharged: boolean): Evaluate {
  const [containerNode, keyNode] = node.args as [Expr, Expr];
  const container = isCharged
    ? compiler.compile(containerNode)
    : compiler.compileFree(containerNode);
  const key = compiler.compileFree(keyNode);
  const cost = isAttribute(containerNode) || !isCharged ? 1 : 2;
  const read = node.name === '_[_]' ? element : optionalElement;
  return (frame) => {
    const from = container(frame);
    const at = key(frame);
    frame.cost += cost;
    return read(from, at);
  };
}

/** `or` and `orValue` look at their argument only when the optional is empty. */
function compileOrValue(compiler: Compiler, node: CallNode): Evaluate {
  const target = compiler.compile(node.target as Expr);
  const alternative = compiler.compile(node.args[0] as Expr);
  const unwraps = node.name === 'orValue';
  return (frame) => {
    const optional = target(frame);
    if (!(optional instanceof CelOptional)) throw new CelRuntimeError('no such overload');
    if (optional.value === undefined) return alternative(frame);
    return unwraps ? optional.value : optional;
  };
}

/** Membership in a constant list of plain values is a look-up and costs nothing. */
function compileMembership(compiler: Compiler, node: CallNode): Evaluate | undefined {
  if (!compiler.options.foldsConstants) return undefined;
  const [valueNode, listNode] = node.args as [Expr, Expr];
  const value = compiler.compile(valueNode);
  compiler.compile(listNode);
  const list = compiler.constantOf(listNode);
  if (!(list instanceof CelList)) return undefined;
  const members = new Set<string>();
  for (const item of list.values()) {
    const text = keyText(item);
    if (text === undefined) return undefined;
    members.add(text);
  }
  return (frame) => {
    const text = keyText(value(frame));
    return text !== undefined && members.has(text);
  };
}

const conversions = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);

/** `duration('1h')` is as good as a literal. */
function foldConversion(
  compiler: Compiler,
  node: CallNode,
  evaluate: Evaluate,
): Evaluate | undefined {
  const [arg] = node.args;
  const isFoldable = compiler.options.foldsConstants && conversions.has(node.name);
  if (!isFoldable || arg === undefined || compiler.constantOf(arg) === undefined) return undefined;
  try {
    const limit = Number.POSITIVE_INFINITY;
    return compiler.constant(node, evaluate({ cost: 0, limit, slots: [], variables: {} }));
  } catch {
    return undefined;
  }
}

function compileFunction(compiler: Compiler, node: CallNode): Evaluate {
  const name = node.resolved ?? node.name.replace(/^\./, '');
  const isMember = node.target !== undefined && node.resolved === undefined;
  const operands = isMember ? [node.target, ...node.args] : node.args;
  const args = operands.map((operand) => compiler.compile(operand));
  const ids = node.overloads ?? [];
  const overloads = (compiler.options.functions.get(name) ?? []).filter(({ id }) =>
    ids.includes(id),
  );
  const id = overloads.length === 1 ? (overloads[0] as Overload).id : '';
  const cost = runtimeCostOf(name, id);
  const call = dispatcher(name, overloads);
  const [first, second, third, fourth] = args;
  // Implementations tell an argument that is not there by its being undefined.
  const none = undefined as unknown as CelValue;
  if (first === undefined) {
    return (frame) => {
      const result = call(none, none, none, none);
      charge(frame, cost(none, none, result));
      return result;
    };
  }
  if (second === undefined) {
    return (frame) => {
      const a = first(frame);
      const result = call(a, none, none, none);
      charge(frame, cost(a, none, result));
      return result;
    };
  }
  if (third === undefined) {
    return (frame) => {
      const a = first(frame);
      const b = second(frame);
      const result = call(a, b, none, none);
      charge(frame, cost(a, b, result));
      return result;
    };
  }
  return (frame) => {
    const a = first(frame);
    const b = second(frame);
    const c = third(frame);
    const d = fourth === undefined ? none : fourth(frame);
    const result = call(a, b, c, d);
    charge(frame, cost(a, b, result));
    return result;
  };
}

export function compileCall(compiler: Compiler, node: CallNode, isCharged: boolean): Evaluate {
  switch (node.name) {
    case '_&&_':
      return compileAnd(compiler, node);
    case '_||_':
      return compileOr(compiler, node);
    case '_?_:_':
      return compileConditional(compiler, node);
    case '@not_strictly_false':
      return compileNotFalse(compiler, node);
    case '_[_]':
    case '_[?_]':
    case '_?._':
      return compileIndex(compiler, node, isCharged);
    case 'or':
    case 'orValue':
      return compileOrValue(compiler, node);
    case '@in': {
      const membership = compileMembership(compiler, node);
      if (membership !== undefined) return membership;
      break;
    }
    default:
  }
  const evaluate = compileFunction(compiler, node);
  return foldConversion(compiler, node, evaluate) ?? evaluate;
}
