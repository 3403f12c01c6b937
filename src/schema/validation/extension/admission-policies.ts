import type {
  AuditAnnotation,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
  Variable,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkFormat,
  checkOneOf,
  checkOptionalFormat,
  exceedsBytes,
  requireFormat,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath, statusPath } from '../field-path.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors, pathSegmentErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkConditions } from '../shared/conditions.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkMatchConditions, checkMatchResources } from './resource-rules.ts';

const failurePolicies = ['Fail', 'Ignore'];
const reinvocationPolicies = ['IfNeeded', 'Never'];
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const actions = ['Audit', 'Deny', 'Warn'];
const mutatingOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const maxAnnotations = 20;
const maxExpressionBytes = 5120;

interface PolicySpec {
  readonly failurePolicy?: string | undefined;
  readonly paramKind?: Unchecked<ParamKind> | undefined;
  readonly matchConstraints?: Unchecked<MatchResources> | undefined;
  readonly matchConditions?: Parameters<typeof checkMatchConditions>[2];
  readonly variables?: ReadonlyArray<Unchecked<Variable>> | undefined;
}

/** What policies of both sorts have in common. Expressions are compiled elsewhere. */
function checkPolicy(errors: ErrorList, spec: PolicySpec): void {
  requireOneOf(errors, specPath, 'failurePolicy', spec.failurePolicy, failurePolicies);
  if (spec.paramKind !== undefined) {
    checkParamKind(errors, specPath.child('paramKind'), spec.paramKind);
  }
  const { matchConstraints: match } = spec;
  if (match === undefined) errors.required(specPath, 'matchConstraints');
  else {
    const path = specPath.child('matchConstraints');
    checkMatchResources(errors, path, match);
    if (isEmpty(match.resourceRules)) errors.required(path, 'resourceRules');
  }
  checkMatchConditions(errors, specPath.child('matchConditions'), spec.matchConditions);
  (spec.variables ?? []).forEach(({ name = '', expression = '' }, index) => {
    const path = specPath.child('variables').at(index);
    if (name.trim() === '') errors.required(path, 'name', 'name is not specified');
    else if (!isCelIdentifier(name)) {
      errors.invalid(path, 'name', name, 'must be a valid CEL identifier');
    }
    requireExpression(errors, path, 'expression', expression);
  });
}

const celIdentifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const celKeywords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

function isCelIdentifier(name: string): boolean {
  return celIdentifier.test(name) && !celKeywords.has(name);
}

function requireExpression(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  expression: string,
): void {
  if (expression.trim() === '') errors.required(path, field, `${field} is not specified`);
}

function checkParamKind(
  errors: ErrorList,
  path: FieldPath,
  { apiVersion = '', kind = '' }: Unchecked<ParamKind>,
): void {
  const parts = apiVersion.split('/');
  if (apiVersion === '') errors.required(path, 'apiVersion');
  else if (parts.length > 2) {
    const detail = `unexpected GroupVersion string: ${apiVersion}`;
    errors.invalid(path, 'apiVersion', apiVersion, detail);
  } else {
    const version = parts.at(-1) ?? '';
    const group = parts.length === 2 ? (parts[0] ?? '') : '';
    checkOptionalFormat(errors, path, 'apiVersion', group, dns1123SubdomainErrors);
    if (version === '') {
      errors.invalid(path, 'apiVersion', apiVersion, 'version must be specified');
    } else checkFormat(errors, path, 'apiVersion', version, dns1035LabelErrors);
  }
  if (!requireText(errors, path, 'kind', kind)) return;
  for (const message of dns1035LabelErrors(kind.toLowerCase())) {
    const detail = `may have mixed case, but should otherwise match: ${message}`;
    errors.invalid(path, 'kind', kind, detail);
  }
}

export const validatingPolicyRules: KindRules<ValidatingAdmissionPolicy> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { metadata, spec = {} }) {
    checkPolicy(errors, spec);
    const { validations = [], auditAnnotations = [] } = spec;
    if (validations.length === 0 && auditAnnotations.length === 0) {
      const detail = 'validations or auditAnnotations must contain at least one item';
      errors.required(specPath, 'validations', detail);
      errors.required(specPath, 'auditAnnotations', detail);
      return;
    }
    validations.forEach((validation, index) => {
      checkValidation(errors, specPath.child('validations').at(index), validation);
    });
    checkAuditAnnotations(errors, auditAnnotations, metadata?.name ?? '');
  },
  subresources: {
    status(errors, { status }) {
      checkConditions(errors, statusPath.child('conditions'), status?.conditions);
      (status?.typeChecking?.expressionWarnings ?? []).forEach(({ warning, fieldRef }, index) => {
        const path = statusPath.child('typeChecking.expressionWarnings').at(index);
        requireText(errors, path, 'warning', warning);
        if (requireText(errors, path, 'fieldRef', fieldRef?.trim())) {
          checkJsonPath(errors, path, fieldRef ?? '');
        }
      });
    },
  },
};

function checkValidation(
  errors: ErrorList,
  path: FieldPath,
  validation: Unchecked<Validation>,
): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  requireExpression(errors, path, 'expression', expression);
  const blankText = 'must be non-empty if specified';
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.invalid(path, 'messageExpression', messageExpression, blankText);
  }
  if (message !== '' && message.trim() === '') errors.invalid(path, 'message', message, blankText);
  else if (message.includes('\n')) {
    errors.invalid(path, 'message', message, 'must not contain line breaks');
  }
  checkOneOf(errors, path, 'reason', reason, reasons);
}

function checkAuditAnnotations(
  errors: ErrorList,
  annotations: ReadonlyArray<Unchecked<AuditAnnotation>>,
  policyName: string,
): void {
  if (annotations.length > maxAnnotations) {
    const detail = `must not have more than ${maxAnnotations} auditAnnotations`;
    errors.invalid(specPath, 'auditAnnotations', annotations, detail);
  }
  const seen = new Set<string>();
  annotations.forEach(({ key = '', valueExpression = '' }, index) => {
    const path = specPath.child('auditAnnotations').at(index);
    const full = `${policyName}/${key}`;
    if (policyName === '') {
      errors.invalid(path, 'key', key, 'requires metadata.name be non-empty');
    } else checkFormat(errors, path, 'key', full, labelKeyErrors);
    requireExpression(errors, path, 'valueExpression', valueExpression);
    if (exceedsBytes(valueExpression.trim(), maxExpressionBytes)) {
      const detail = `must not exceed ${maxExpressionBytes} bytes in length`;
      errors.required(path, 'valueExpression', detail);
    }
    if (seen.has(key)) errors.duplicate(path, 'key', key);
    seen.add(key);
  });
}

function checkParamRef(errors: ErrorList, path: FieldPath, ref: Unchecked<ParamRef>): void {
  const { name = '', selector, parameterNotFoundAction } = ref;
  const exclusive = 'name and selector are mutually exclusive';
  if (name !== '') {
    checkFormat(errors, path, 'name', name, pathSegmentErrors);
    if (selector !== undefined) errors.forbidden(path, 'name', exclusive);
  }
  if (selector !== undefined) {
    checkLabelSelector(errors, path.child('selector'), selector);
    if (name !== '') errors.forbidden(path, 'selector', exclusive);
  }
  if (name === '' && selector === undefined) {
    errors.required(path, '', 'one of name or selector must be specified');
  }
  const field = 'parameterNotFoundAction';
  requireOneOf(errors, path, field, parameterNotFoundAction, ['Deny', 'Allow']);
}

interface BindingSpec {
  readonly policyName?: string | undefined;
  readonly paramRef?: Unchecked<ParamRef> | undefined;
  readonly matchResources?: Unchecked<MatchResources> | undefined;
}

function checkBinding(errors: ErrorList, spec: BindingSpec): void {
  requireFormat(errors, specPath, 'policyName', spec.policyName, dns1123SubdomainErrors);
  if (spec.paramRef !== undefined) checkParamRef(errors, specPath.child('paramRef'), spec.paramRef);
  if (spec.matchResources !== undefined) {
    checkMatchResources(errors, specPath.child('matchResources'), spec.matchResources);
  }
}

export const validatingPolicyBindingRules: KindRules<ValidatingAdmissionPolicyBinding> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { spec = {} }) {
    checkBinding(errors, spec);
    const { validationActions = [] } = spec;
    const path = specPath.child('validationActions');
    const seen = new Set<string>();
    validationActions.forEach((action, index) => {
      checkOneOf(errors, path, index, action, actions);
      if (seen.has(action)) errors.duplicate(path, index, action);
      seen.add(action);
    });
    if (seen.has('Deny') && seen.has('Warn')) {
      const detail =
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
      errors.invalid(path, '', validationActions, detail);
    }
    if (seen.size === 0) errors.required(path, '', 'at least one validation action is required');
  },
};

/** Nothing can be mutated that is being deleted. */
function checkOperations(
  errors: ErrorList,
  path: FieldPath,
  match: Unchecked<MatchResources> | undefined,
): void {
  for (const { operations = [] } of match?.resourceRules ?? []) {
    for (const operation of operations) {
      checkOneOf(errors, path, 'resourceRules.operations', operation, mutatingOperations);
    }
  }
}

export const mutatingPolicyRules: KindRules<MutatingAdmissionPolicy> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { spec = {} }) {
    checkPolicy(errors, spec);
    checkOperations(errors, specPath.child('matchConstraints'), spec.matchConstraints);
    const { mutations = [], reinvocationPolicy } = spec;
    if (mutations.length === 0) {
      errors.required(specPath, 'mutations', 'mutations must contain at least one item');
    }
    mutations.forEach((mutation, index) => {
      checkMutation(errors, specPath.child('mutations').at(index), mutation);
    });
    requireOneOf(errors, specPath, 'reinvocationPolicy', reinvocationPolicy, reinvocationPolicies);
  },
};

const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

function checkMutation(errors: ErrorList, path: FieldPath, mutation: Unchecked<Mutation>): void {
  const { patchType = '' } = mutation;
  if (!requireText(errors, path, 'patchType', patchType)) return;
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    errors.notSupported(path, 'patchType', patchType, Object.keys(patchFields));
    return;
  }
  const field = patchFields[patchType];
  const other = field === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch';
  if (mutation[field] === undefined) {
    errors.required(path, field, `must be specified when patchType is ${patchType}`);
  } else if ((mutation[field].expression ?? '').trim() === '') {
    errors.required(path.child(field), 'expression');
  }
  if (mutation[other] === undefined) return;
  const detail = `must not be specified when patchType is ${patchType}`;
  errors.invalid(path, other, `{${other}}`, detail);
}

/** The faults that upstream's parser of paths finds most: brackets and quotes without an end. */
function checkJsonPath(errors: ErrorList, path: FieldPath, text: string): void {
  const bare = text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, '');
  const why = /['"]/.test(bare)
    ? 'unterminated quoted string'
    : /\[[^\]]*$/.test(bare)
      ? 'unterminated array'
      : '';
  if (why !== '') errors.invalid(path, 'fieldRef', text, `invalid JSONPath: ${why}`);
}

export const mutatingPolicyBindingRules: KindRules<MutatingAdmissionPolicyBinding> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { spec = {} }) {
    checkBinding(errors, spec);
    checkOperations(errors, specPath.child('matchResources'), spec.matchResources);
  },
};
