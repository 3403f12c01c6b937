import type { CelEnvironment, CelProgram, CelType } from '#cel/mod.ts';
import { createCelEnvironment } from '#cel/mod.ts';
import { messageOf } from '#base/errors.ts';
import type { ValidationRule } from '#schema/structural/mod.ts';

/** One rule ready to run, or the reason why it cannot. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: CelProgram | undefined;
  readonly usesOldSelf: boolean;
  readonly message: CelProgram | undefined;
  /** In upstream's words. */
  readonly error: string | undefined;
  readonly messageError: string | undefined;
}

/** Compiles the rules of one node, whose values have `type`. */
export function compileRules(
  rules: readonly ValidationRule[],
  type: CelType,
): readonly CompiledRule[] {
  let plain: CelEnvironment | undefined;
  let optional: CelEnvironment | undefined;
  return rules.map((rule) => {
    const environment =
      rule.optionalOldSelf === true
        ? (optional ??= createCelEnvironment({
            variables: { self: type, oldSelf: { kind: 'optional', of: type } },
          }))
        : (plain ??= createCelEnvironment({ variables: { self: type, oldSelf: type } }));
    return compileRule(rule, environment);
  });
}

function compileRule(rule: ValidationRule, environment: CelEnvironment): CompiledRule {
  let program: CelProgram | undefined;
  let error: string | undefined;
  try {
    program = environment.compile(rule.rule);
    if (!isOf(program.resultType, 'bool')) error = 'cel expression must evaluate to a bool';
  } catch (cause) {
    error = `compilation failed: ${reasonOf(cause)}`;
  }
  let message: CelProgram | undefined;
  let messageError: string | undefined;
  const { messageExpression } = rule;
  if (messageExpression !== undefined && messageExpression.trim() !== '') {
    try {
      message = environment.compile(messageExpression);
      if (!isOf(message.resultType, 'string')) {
        messageError = 'messageExpression must evaluate to a string';
      }
    } catch (cause) {
      messageError = `messageExpression compilation failed: ${reasonOf(cause)}`;
    }
  }
  const usesOldSelf = program?.references.has('oldSelf') === true;
  return { rule, program, usesOldSelf, message, error, messageError };
}

/** What may turn out to be of the kind when it runs is not enough. */
function isOf(type: CelType, kind: 'bool' | 'string'): boolean {
  return type.kind === kind;
}

/** What the compiler says, without the words that it starts with for other users. */
function reasonOf(cause: unknown): string {
  return messageOf(cause).replace(/^compilation failed: /, '');
}
