import { messageOf } from '#base/errors.ts';
import { CelCompileError } from '#cel/mod.ts';
import type { CelEnvironment, CelProgram, CelType } from '#cel/mod.ts';

/** A program, or why there is none: the text that validation and denials show. */
export type CompiledExpression =
  | { readonly program: CelProgram; readonly error: undefined }
  | { readonly program: undefined; readonly error: string };

/** The names that cel-go gives types in `must evaluate to bool`. */
function typeName(type: CelType): string {
  switch (type.kind) {
    case 'null':
      return 'null_type';
    case 'list':
      return `list(${typeName(type.element)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'object':
    case 'abstract':
      return type.name;
    default:
      return type.kind;
  }
}

/** Compiles an expression that must have exactly one of these types; `dyn` among them takes any. */
export function compileExpression(
  environment: CelEnvironment,
  expression: string,
  wanted: readonly CelType[],
): CompiledExpression {
  let program: CelProgram;
  try {
    program = environment.compile(expression);
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    return { program: undefined, error: messageOf(error) };
  }
  const got = typeName(program.resultType);
  const isFit = wanted.some((type) => type.kind === 'dyn' || typeName(type) === got);
  if (isFit) return { program, error: undefined };
  const names = wanted.map(typeName);
  const error =
    names.length === 1
      ? `must evaluate to ${names[0]}`
      : `must evaluate to one of [${names.join(' ')}]`;
  return { program: undefined, error };
}
