/** Messages that expressions construct: maps by field name which know the name of their type. */
import { CelRuntimeError } from '../errors.ts';
import type { StructNode } from '../source/ast.ts';
import type { CelMessage } from '../types.ts';
import { CelList } from '../values/list.ts';
import { ComputedMap } from '../values/map.ts';
import { CelOptional, type CelValue } from '../values/value.ts';
import type { Compiler } from './compiler.ts';
import { charge, type Evaluate } from './frame.ts';

const structCost = 40;

/** A constructed message. */
class MessageValue extends ComputedMap {
  readonly typeName: string;

  constructor(typeName: string, fields: ComputedMap) {
    super(fields.entries);
    this.typeName = typeName;
  }
}

export function compileStruct(compiler: Compiler, node: StructNode): Evaluate {
  const name = node.name.replace(/^\./, '');
  const message = compiler.options.messages?.(name);
  if (message === undefined) throw new CelRuntimeError(`unknown type: ${node.name}`);
  const fields = node.fields.map((field) => ({
    name: field.name,
    isOptional: field.optional,
    evaluate: compiler.compile(field.value),
  }));
  return (frame) => {
    const pairs: [CelValue, CelValue][] = [];
    for (const { name: field, isOptional, evaluate } of fields) {
      const value = evaluate(frame);
      const present = isOptional ? presentValue(value) : value;
      if (present === undefined) continue;
      checkNames(message, field, present);
      pairs.push([field, present]);
    }
    charge(frame, structCost);
    return new MessageValue(name, ComputedMap.of(pairs));
  };
}

function presentValue(value: CelValue): CelValue | undefined {
  if (!(value instanceof CelOptional)) throw new CelRuntimeError('no such overload');
  return value.value;
}

/** Messages in a field, or in a list of it, must have the name that the field's path gives them. */
function checkNames(message: CelMessage, field: string, value: CelValue): void {
  const expected = message.nameOf?.(field);
  if (expected === undefined) return;
  const values = value instanceof CelList ? value.values() : [value];
  for (const one of values) {
    if (!(one instanceof MessageValue) || one.typeName === expected) continue;
    throw new CelRuntimeError(
      `type mismatch: unexpected type name ${JSON.stringify(one.typeName)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`,
    );
  }
}
