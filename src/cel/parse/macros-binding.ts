/** Macros that give a name to a value: optMap, optFlatMap, sortBy and cel.bind. */
import type { Expr } from '../source/ast.ts';
import { callNode, comprehensionNode, identNode, listNode } from '../source/node-factory.ts';
import { boolNode, variableName } from './macro-parts.ts';
import type { Macro, MacroCall } from './macros.ts';
import { map } from './macros-one-variable.ts';

const unusedVariable = '#unused';

/** A loop that never runs: its accumulator is the binding, its result the expression. */
function bound(offset: number, name: string, value: Expr, result: Expr): Expr {
  return comprehensionNode(offset, {
    range: listNode(offset, []),
    variable: unusedVariable,
    variable2: undefined,
    accumulator: name,
    init: value,
    condition: boolNode(offset, false),
    step: identNode(offset, name),
    result,
  });
}

function optionalNamespace(offset: number): Expr {
  return identNode(offset, 'optional');
}

function mapOptional(call: MacroCall, wrap: (result: Expr) => Expr): Expr | undefined {
  const { parser, offset, target, args } = call;
  const [variable, expression] = args;
  if (variable?.kind !== 'ident') {
    const where = variable?.offset ?? offset;
    parser.issues.report(where, 'optMap() variable name must be a simple identifier');
    return undefined;
  }
  const value = callNode(offset, 'value', [], target);
  const then = wrap(bound(offset, variable.name, value, expression as Expr));
  const none = callNode(offset, 'none', [], optionalNamespace(offset));
  return parser.bounded(
    callNode(offset, '_?_:_', [callNode(offset, 'hasValue', [], target), then, none]),
  );
}

export const optMap: Macro = (call) =>
  mapOptional(call, (result) =>
    callNode(call.offset, 'of', [result], optionalNamespace(call.offset)),
  );

export const optFlatMap: Macro = (call) => mapOptional(call, (result) => result);

export const bindMacro: Macro = (call) => {
  const { parser, offset, args } = call;
  const [name, value, result] = args;
  if (name?.kind !== 'ident') {
    parser.issues.report(
      name?.offset ?? offset,
      'cel.bind() variable names must be simple identifiers',
    );
    return undefined;
  }
  return parser.bounded(bound(offset, name.name, value as Expr, result as Expr));
};

/** `cel.bind(@sortBy, list, list.@sortByAssociatedKeys(list.map(x, key)))`. */
export const sortBy: Macro = (call) => {
  const { parser, offset, target, args } = call;
  if (variableName(call, args[0]) === undefined) return undefined;
  const name = '@__sortBy_input__';
  const input = identNode(offset, name);
  const keys = map({ parser, offset, target: input, args });
  if (keys === undefined) return undefined;
  const sorted = callNode(offset, '@sortByAssociatedKeys', [keys], input);
  return parser.bounded(bound(offset, name, target, sorted));
};
