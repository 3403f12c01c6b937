/** Finds the macro for a call and expands it while parsing. */
import type { Expr } from '../source/ast.ts';
import { selectNode } from '../source/node-factory.ts';
import { bindMacro, optFlatMap, optMap, sortBy } from './macros-binding.ts';
import { all, exists, existsOne, filter, map } from './macros-one-variable.ts';
import {
  allTwo,
  existsOneTwo,
  existsTwo,
  transformList,
  transformMap,
  transformMapEntry,
} from './macros-two-variables.ts';
import type { Parser, ParserOptions } from './parser.ts';

export interface MacroCall {
  readonly parser: Parser;
  /** Where new nodes and errors without a better place point. */
  readonly offset: number;
  readonly target: Expr;
  readonly args: readonly Expr[];
}

/** Undefined leaves the call as it is (the error, if any, is reported). */
export type Macro = (call: MacroCall) => Expr | undefined;

export interface Macros {
  expandMember(
    parser: Parser,
    offset: number,
    target: Expr,
    name: string,
    args: readonly Expr[],
  ): Expr | undefined;
  expandGlobal(
    parser: Parser,
    offset: number,
    name: string,
    args: readonly Expr[],
  ): Expr | undefined;
}

const memberMacros: Readonly<Record<string, Macro>> = {
  'all:2': all,
  'exists:2': exists,
  'exists_one:2': existsOne,
  'existsOne:2': existsOne,
  'map:2': map,
  'map:3': map,
  'filter:2': filter,
  'all:3': allTwo,
  'exists:3': existsTwo,
  'existsOne:3': existsOneTwo,
  'exists_one:3': existsOneTwo,
  'transformList:3': transformList,
  'transformList:4': transformList,
  'transformMap:3': transformMap,
  'transformMap:4': transformMap,
  'transformMapEntry:3': transformMapEntry,
  'transformMapEntry:4': transformMapEntry,
  'optMap:2': optMap,
  'optFlatMap:2': optFlatMap,
  'sortBy:2': sortBy,
};

function expandHas(parser: Parser, offset: number, args: readonly Expr[]): Expr | undefined {
  const [field] = args;
  if (field?.kind === 'select' && !field.testOnly) {
    return selectNode(offset, field.operand, field.field, true);
  }
  parser.issues.report(field?.offset ?? offset, 'invalid argument to has() macro');
  return undefined;
}

export function createMacros(options: ParserOptions): Macros {
  return {
    expandMember(parser, offset, target, name, args) {
      const isBind = options.bindings === true && name === 'bind' && args.length === 3;
      if (isBind && target.kind === 'ident' && target.name === 'cel') {
        return bindMacro({ parser, offset, target, args });
      }
      return memberMacros[`${name}:${args.length}`]?.({ parser, offset, target, args });
    },
    expandGlobal(parser, offset, name, args) {
      return name === 'has' && args.length === 1 ? expandHas(parser, offset, args) : undefined;
    },
  };
}
