/**
 * Where it all comes together: an environment of variables and libraries, and the programs
 * compiled in it. Start reading here, then follow compile().
 */
import { Checker } from './check/checker.ts';
import type { FunctionTable } from './check/declaration.ts';
import { fromDeclared, toDeclared } from './check/declared-type.ts';
import { Scope } from './check/scope.ts';
import { formatType, type Type } from './check/type.ts';
import { validateLiterals } from './check/validate-literals.ts';
import { Estimator } from './cost/estimator.ts';
import { CelBudgetError, CelCompileError, CelRuntimeError } from './errors.ts';
import { Compiler } from './evaluate/compiler.ts';
import type { Evaluate, Frame } from './evaluate/frame.ts';
import { functionTable } from './library/function-table.ts';
import { typeNames, typeVariables } from './library/type-names.ts';
import { perCallLimit } from './limits.ts';
import { parse } from './parse/parser.ts';
import type { Expr } from './source/ast.ts';
import { Issues } from './source/issues.ts';
import type {
  CelBudget,
  CelEnvironment,
  CelEnvironmentOptions,
  CelProgram,
  CompileOptions,
} from './types.ts';
import { converterOf, convertDyn } from './values/from-json.ts';
import { toJson } from './values/to-json.ts';
import type { CelValue } from './values/value.ts';
import { withWorkLimit } from './values/work.ts';

interface Runner {
  readonly evaluate: Evaluate;
  /** Copied for each run. */
  readonly slots: readonly undefined[];
}

/** Runs within the smaller of the budget and the limit of one call. */
function run(
  { evaluate, slots }: Runner,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
): CelValue {
  const limit = Math.min(perCallLimit, budget.remaining);
  const frame: Frame = { cost: 0, limit, slots: slots.slice(), variables };
  try {
    const value = withWorkLimit(() => evaluate(frame));
    if (frame.cost > limit) throw new CelBudgetError();
    return value;
  } catch (error) {
    if (error instanceof CelBudgetError) {
      throw budget.remaining < perCallLimit ? new CelBudgetError(error.message, 'budget') : error;
    }
    if (error instanceof RangeError) {
      throw new CelRuntimeError('value is nested too deeply', { cause: error });
    }
    throw error;
  } finally {
    budget.remaining -= frame.cost;
  }
}

function checkResult(type: Type, options: CompileOptions): void {
  const wanted = options.resultTypes?.map(fromDeclared);
  if (wanted === undefined || wanted.length === 0) return;
  const name = formatType(type);
  const fits = wanted.some((one) => one.kind === 'dyn' || formatType(one) === name);
  if (fits) return;
  const [only] = wanted;
  const names = wanted.map(formatType);
  throw new CelCompileError(
    only !== undefined && wanted.length === 1
      ? `must evaluate to ${names[0]}`
      : `must evaluate to one of [${names.join(' ')}]`,
  );
}

class Environment implements CelEnvironment {
  readonly #options: CelEnvironmentOptions;
  readonly #functions: FunctionTable;
  readonly #scope: Scope;

  constructor(options: CelEnvironmentOptions) {
    this.#options = options;
    this.#functions = functionTable(options);
    const types = new Map(typeVariables);
    for (const [name, type] of Object.entries(options.variables)) {
      types.set(name, fromDeclared(type));
    }
    this.#scope = new Scope(types);
  }

  compile(expression: string, options: CompileOptions = {}): CelProgram {
    const { variables, extensions = [] } = this.#options;
    const root = parse(expression, { bindings: extensions.includes('bindings') });
    const issues = new Issues(expression);
    const checker = new Checker(issues, this.#functions, this.#scope, this.#options.messages);
    const type = checker.run(root);
    issues.throwIfAny();
    validateLiterals(root, issues);
    issues.throwIfAny();
    checkResult(type, options);
    const runner = this.#runner(root);
    let cost: { min: bigint; max: bigint } | undefined;
    return {
      resultType: toDeclared(type),
      references: new Set([...checker.references].filter((name) => Object.hasOwn(variables, name))),
      get estimatedCost() {
        cost ??= new Estimator(variables).cost(root);
        return cost;
      },
      evaluate: (values, budget) => toJson(run(runner, values, budget)),
      evaluateValue: (values, budget) => run(runner, values, budget),
    };
  }

  #runner(root: Expr): Runner {
    const { variables, foldsConstants = true } = this.#options;
    const compiler = new Compiler({
      functions: this.#functions,
      variables: new Map(
        Object.entries(variables).map(([name, type]) => [name, converterOf(type) ?? convertDyn]),
      ),
      typeNames,
      foldsConstants,
      messages: this.#options.messages,
    });
    const evaluate = compiler.compile(root);
    return { evaluate, slots: Array.from({ length: compiler.slotCount }, () => undefined) };
  }
}

/** The CEL environment of Kubernetes 1.36 with these variables; keep it, and its programs. */
export function createCelEnvironment(options: CelEnvironmentOptions): CelEnvironment {
  return new Environment(options);
}
