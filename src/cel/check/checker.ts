/**
 * Gives every node a type and every call its overloads; errors are collected so that all of them
 * are told at once. Order of checks and texts follow cel-go's checker.
 */
import { type CallNode, type Expr, qualifiedName, type SelectNode } from '../source/ast.ts';
import type { Issues } from '../source/issues.ts';
import { checkComprehension, checkList, checkMap, checkStruct } from './check-aggregate.ts';
import type { FunctionTable, Overload } from './declaration.ts';
import type { Scope } from './scope.ts';
import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  errorType,
  formatSignature,
  formatType,
  intType,
  isDyn,
  isDynOrError,
  nullType,
  optionalOf,
  paramType,
  sameType,
  stringType,
  type Type,
  uintType,
  unwrapOptional,
} from './type.ts';
import type { CelMessages } from '../types.ts';
import { assignAll, mostGeneral, substitute, type Substitutions } from './unify.ts';

const literalTypes: Readonly<Record<string, Type>> = {
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  null: nullType,
};

export class Checker {
  readonly issues: Issues;
  /** Types that may be constructed. */
  readonly messages: CelMessages | undefined;
  readonly #functions: FunctionTable;
  #scope: Scope;
  #substitutions: Substitutions = new Map();
  #variables = 0;
  readonly #typed: Expr[] = [];
  /** Names of the outermost scope that were used. */
  readonly references = new Set<string>();

  constructor(issues: Issues, functions: FunctionTable, scope: Scope, messages?: CelMessages) {
    this.issues = issues;
    this.messages = messages;
    this.#functions = functions;
    this.#scope = scope;
  }

  /** Types all nodes for good: type variables that nothing bound become dyn. */
  run(root: Expr): Type {
    this.check(root);
    for (const node of this.#typed) {
      node.type = substitute(this.#substitutions, node.type as Type, true);
    }
    return root.type as Type;
  }

  within(scope: (outer: Scope) => Scope, body: () => void): void {
    const outer = this.#scope;
    this.#scope = scope(outer);
    body();
    this.#scope = outer;
  }

  newVariable(): Type {
    this.#variables += 1;
    return paramType(`_var${this.#variables}`);
  }

  set(node: Expr, type: Type): void {
    if (node.type === undefined) this.#typed.push(node);
    node.type = type;
  }

  /** The type of a node already checked, as far as it is known by now. */
  typeOf(node: Expr): Type {
    return substitute(this.#substitutions, node.type ?? errorType, false);
  }

  isAssignable(from: Type, to: Type): boolean {
    const next = assignAll(this.#substitutions, [from], [to]);
    if (next !== undefined) this.#substitutions = next;
    return next !== undefined;
  }

  expectType(node: Expr, expected: Type): void {
    const actual = this.typeOf(node);
    if (!this.isAssignable(expected, actual)) this.reportMismatch(node.offset, expected, actual);
  }

  reportMismatch(offset: number, expected: Type, actual: Type): void {
    const [wanted, found] = [expected, actual].map((type) =>
      formatType(substitute(this.#substitutions, type, false)),
    );
    this.issues.report(offset, `expected type '${wanted}' but found '${found}'`);
  }

  /** The common type of elements of a literal. */
  join(node: Expr, previous: Type | undefined, current: Type): Type {
    if (previous === undefined) return current;
    if (this.isAssignable(previous, current)) return mostGeneral(previous, current);
    this.reportMismatch(node.offset, previous, current);
    return errorType;
  }

  check(node: Expr): void {
    // Macros may use a part of the source twice; it means the same at both places.
    if (node.type !== undefined) return;
    switch (node.kind) {
      case 'literal':
        return this.set(node, literalTypes[node.literal.kind] as Type);
      case 'ident':
        return this.#checkName(node, node.name);
      case 'select':
        return this.#checkSelect(node);
      case 'call':
        return this.#checkCall(node);
      case 'list':
        return checkList(this, node);
      case 'map':
        return checkMap(this, node);
      case 'struct':
        return checkStruct(this, node);
      default:
        return checkComprehension(this, node);
    }
  }

  #checkName(node: Expr, name: string): void {
    const type = this.#scope.find(name);
    if (!this.#scope.isLocal(name)) this.references.add(name.replace(/^\./, ''));
    if (type === undefined) this.reportUndeclared(node.offset, name);
    this.set(node, type ?? errorType);
  }

  reportUndeclared(offset: number, name: string): void {
    this.issues.report(offset, `undeclared reference to '${name}' (in container '')`);
  }

  /** Whether the first part of a dotted name is a loop variable, which hides outer names. */
  #isHidden(name: string): boolean {
    return this.#scope.isLocal(name.split('.')[0] ?? '');
  }

  #checkSelect(node: SelectNode): void {
    const name = qualifiedName(node);
    const declared =
      name === undefined || this.#isHidden(name) ? undefined : this.#scope.find(name);
    if (declared !== undefined && name !== undefined) {
      node.resolved = name;
      this.references.add(name.replace(/^\./, ''));
      return this.set(node, declared);
    }
    this.check(node.operand);
    const selected = this.#selectedType(node, node.operand, node.field, false);
    this.set(node, node.testOnly ? boolType : selected);
  }

  #selectedType(node: Expr, operand: Expr, field: string, isOptional: boolean): Type {
    const operandType = this.typeOf(operand);
    const inner = unwrapOptional(operandType);
    const target = inner ?? operandType;
    const type = this.#fieldType(node, target, field);
    return inner !== undefined || isOptional ? optionalOf(type) : type;
  }

  #fieldType(node: Expr, target: Type, field: string): Type {
    switch (target.kind) {
      case 'map':
        return target.params[1] as Type;
      case 'struct': {
        const type = target.field?.(field);
        if (type === undefined) this.issues.report(node.offset, `undefined field '${field}'`);
        return type ?? errorType;
      }
      case 'param':
        this.isAssignable(dynType, target);
        return dynType;
      default:
        if (!isDynOrError(target)) {
          const text = `type '${formatType(target)}' does not support field selection`;
          this.issues.report(node.offset, text);
        }
        return dynType;
    }
  }

  #checkCall(node: CallNode): void {
    if (node.name === '_?._') return this.#checkOptionalSelect(node);
    for (const arg of node.args) this.check(arg);
    if (node.target === undefined) {
      const overloads = this.#functions.get(node.name.replace(/^\./, ''));
      if (overloads !== undefined) return this.#resolve(node, overloads, node.name, undefined);
      this.reportUndeclared(node.offset, node.name);
      return this.set(node, errorType);
    }
    const prefix = qualifiedName(node.target);
    if (prefix !== undefined) {
      const name = `${prefix}.${node.name}`;
      const overloads = this.#functions.get(name);
      if (overloads !== undefined) {
        node.resolved = name;
        return this.#resolve(node, overloads, name, undefined);
      }
    }
    this.check(node.target);
    const overloads = this.#functions.get(node.name);
    if (overloads !== undefined) return this.#resolve(node, overloads, node.name, node.target);
    this.set(node, errorType);
    this.reportUndeclared(node.offset, node.name);
  }

  #checkOptionalSelect(node: CallNode): void {
    const [operand, field] = node.args as [Expr, Expr];
    this.check(operand);
    this.check(field);
    node.overloads = ['select_optional_field'];
    const name = field.kind === 'literal' ? String(field.literal.value) : '';
    this.set(node, this.#selectedType(node, operand, name, true));
  }

  #resolve(
    node: CallNode,
    overloads: readonly Overload[],
    name: string,
    target: Expr | undefined,
  ): void {
    const operands = target === undefined ? node.args : [target, ...node.args];
    const types = operands.map((operand) => this.typeOf(operand));
    const ids: string[] = [];
    let result: Type | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== (target !== undefined)) continue;
      if (overload.params.length !== types.length) continue;
      const matched = this.#match(overload, types);
      if (matched === undefined) continue;
      ids.push(overload.id);
      if (result === undefined) result = matched;
      else if (!isDyn(result) && !sameType(result, matched)) result = dynType;
    }
    if (result === undefined) {
      const known = types.map((type) => substitute(this.#substitutions, type, true));
      const signature = formatSignature(known, target !== undefined);
      const text = `found no matching overload for '${name}' applied to '${signature}'`;
      this.issues.report(node.offset, text);
      return this.set(node, errorType);
    }
    node.overloads = ids;
    this.set(node, result);
  }

  /** The result type when the arguments fit, with the type variables bound. */
  #match(overload: Overload, types: readonly Type[]): Type | undefined {
    let { params, result } = overload;
    if (overload.variables.length > 0) {
      const fresh: Substitutions = new Map(
        overload.variables.map((name) => [name, this.newVariable()]),
      );
      params = params.map((param) => substitute(fresh, param, false));
      result = substitute(fresh, result, false);
    }
    const next = assignAll(this.#substitutions, types, params);
    if (next === undefined) return undefined;
    this.#substitutions = next;
    return substitute(next, result, false);
  }
}
