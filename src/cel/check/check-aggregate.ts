/** Types of literals of lists, maps and messages, and of comprehensions. */
import type { ComprehensionNode, ListNode, MapNode, StructNode } from '../source/ast.ts';
import type { Checker } from './checker.ts';
import { fromDeclared } from './declared-type.ts';
import { Scope } from './scope.ts';
import {
  boolType,
  dynType,
  errorType,
  formatType,
  intType,
  isDynOrError,
  listOf,
  mapOf,
  optionalOf,
  structType,
  type Type,
  unwrapOptional,
} from './type.ts';

export function checkList(checker: Checker, node: ListNode): void {
  let element: Type | undefined;
  node.elements.forEach((child, index) => {
    checker.check(child);
    let type = checker.typeOf(child);
    if (node.optionals.has(index)) {
      const inner = unwrapOptional(type);
      if (inner === undefined && !isDynOrError(type)) {
        checker.reportMismatch(child.offset, optionalOf(type), type);
      }
      type = inner ?? type;
    }
    element = checker.join(child, element, type);
  });
  checker.set(node, listOf(element ?? checker.newVariable()));
}

export function checkMap(checker: Checker, node: MapNode): void {
  let key: Type | undefined;
  let value: Type | undefined;
  for (const entry of node.entries) {
    checker.check(entry.key);
    key = checker.join(entry.key, key, checker.typeOf(entry.key));
    checker.check(entry.value);
    let type = checker.typeOf(entry.value);
    if (entry.optional) {
      const inner = unwrapOptional(type);
      if (inner === undefined && !isDynOrError(type)) {
        checker.reportMismatch(entry.value.offset, optionalOf(type), type);
      }
      type = inner ?? type;
    }
    value = checker.join(entry.value, value, type);
  }
  checker.set(node, mapOf(key ?? checker.newVariable(), value ?? checker.newVariable()));
}

/** Messages may be constructed where the environment says so. */
export function checkStruct(checker: Checker, node: StructNode): void {
  const name = node.name.replace(/^\./, '');
  const message = checker.messages?.(name);
  if (message === undefined) {
    checker.reportUndeclared(node.offset, node.name);
    for (const field of node.fields) checker.check(field.value);
    return checker.set(node, errorType);
  }
  const typeOfField = (field: string): Type | undefined => {
    const type = message.field(field);
    return type === undefined ? undefined : fromDeclared(type);
  };
  for (const field of node.fields) {
    checker.check(field.value);
    const expected = typeOfField(field.name);
    if (expected === undefined) {
      checker.issues.report(field.offset, `undefined field '${field.name}'`);
      continue;
    }
    const given = checker.typeOf(field.value);
    const actual = field.optional ? (unwrapOptional(given) ?? given) : given;
    if (checker.isAssignable(expected, actual)) continue;
    checker.issues.report(
      field.offset,
      `expected type of field '${field.name}' is '${formatType(expected)}' but provided type is '${formatType(actual)}'`,
    );
  }
  checker.set(node, { ...structType(name), field: typeOfField });
}

interface RangeTypes {
  readonly first: Type;
  readonly second: Type;
}

function rangeTypes(checker: Checker, node: ComprehensionNode): RangeTypes {
  const range = checker.typeOf(node.range);
  const isPair = node.variable2 !== undefined;
  switch (range.kind) {
    case 'list': {
      const element = range.params[0] as Type;
      return isPair ? { first: intType, second: element } : { first: element, second: errorType };
    }
    case 'map':
      return { first: range.params[0] as Type, second: range.params[1] as Type };
    case 'param':
      checker.isAssignable(dynType, range);
      return { first: dynType, second: dynType };
    case 'dyn':
    case 'error':
      return { first: dynType, second: dynType };
    default: {
      const text = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
      checker.issues.report(node.range.offset, text);
      return { first: errorType, second: errorType };
    }
  }
}

export function checkComprehension(checker: Checker, node: ComprehensionNode): void {
  checker.check(node.range);
  checker.check(node.init);
  const accumulated = checker.typeOf(node.init);
  const { first, second } = rangeTypes(checker, node);
  const outer = new Map([[node.accumulator, accumulated]]);
  const inner = new Map([[node.variable, first]]);
  if (node.variable2 !== undefined) inner.set(node.variable2, second);
  checker.within(
    (scope) => new Scope(outer, scope),
    () => {
      checker.within(
        (scope) => new Scope(inner, scope),
        () => {
          checker.check(node.condition);
          checker.expectType(node.condition, boolType);
          checker.check(node.step);
          checker.expectType(node.step, accumulated);
        },
      );
      checker.check(node.result);
    },
  );
  checker.set(node, checker.typeOf(node.result));
}
