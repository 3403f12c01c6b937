/**
 * The Common Expression Language as Kubernetes 1.36 runs it: parser, checker, costs, evaluation and
 * the Kubernetes libraries. It does not know schemas, policies or requests: callers declare types
 * and hand in plain JSON. Start reading at environment.ts.
 */
export type {
  CelBudget,
  CelEnvironment,
  CelEnvironmentOptions,
  CelExtension,
  CelField,
  CelMessage,
  CelMessages,
  CelProgram,
  CelResult,
  CelType,
  CompileOptions,
  ScalarKind,
} from './types.ts';
export type { CelIssue } from './errors.ts';
export { CelBudgetError, CelCompileError, CelRuntimeError } from './errors.ts';
export { createCelEnvironment } from './environment.ts';
export { escapeProperty, unescapeProperty } from './escaping.ts';
export {
  maxRequestSizeBytes,
  perCallLimit,
  runtimeCostBudget,
  runtimeCostBudgetMatchConditions,
} from './limits.ts';
export type {
  CelAuthorizationAttributes,
  CelAuthorizationCheck,
  CelAuthorizationDecision,
  CelResourceAttributes,
} from './library/authorizer-value.ts';
export { createAuthorizerValue, createResourceCheckValue } from './library/authorizer-value.ts';
