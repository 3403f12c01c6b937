/** Authorization checks, with selectors. */
import { type Library, memberOverload, type Overload } from '../check/declaration.ts';
import { boolType, stringType, structType, type Type } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import {
  AuthorizerValue,
  type CelAuthorizationDecision,
  type CelResourceAttributes,
  type DecisionValue,
  emptyResource,
  GroupCheckValue,
  PathCheckValue,
  ResourceCheckValue,
} from './authorizer-value.ts';
import { namedFormats } from './named-formats.ts';

const authorizerType = structType('kubernetes.authorization.Authorizer');
const pathCheckType = structType('kubernetes.authorization.PathCheck');
const groupCheckType = structType('kubernetes.authorization.GroupCheck');
const resourceCheckType = structType('kubernetes.authorization.ResourceCheck');
const decisionType = structType('kubernetes.authorization.Decision');

function required(text: string, what: string): string {
  if (text.trim() === '') throw new CelRuntimeError(`${what} must not be empty`);
  return text;
}

function ofServiceAccount(
  { asker }: AuthorizerValue,
  namespace: string,
  name: string,
): AuthorizerValue {
  if (namedFormats['dns1123Subdomain']?.validate(name).length !== 0) {
    throw new CelRuntimeError('Invalid service account name');
  }
  if (namedFormats['dns1123Label']?.validate(namespace).length !== 0) {
    throw new CelRuntimeError('Invalid service account namespace');
  }
  return new AuthorizerValue({ check: asker.check, serviceAccount: { namespace, name } });
}

function setter(id: string, field: keyof CelResourceAttributes): Overload[] {
  return [
    memberOverload(
      id,
      [resourceCheckType, stringType],
      resourceCheckType,
      (check: ResourceCheckValue, value: string) => check.with({ [field]: value }),
    ),
  ];
}

function reader(
  id: string,
  type: Type,
  read: (decision: CelAuthorizationDecision) => boolean | string,
): Overload[] {
  return [
    memberOverload(id, [decisionType], type, ({ decision }: DecisionValue) => read(decision)),
  ];
}

export const authorizerLibrary: Library = {
  path: [
    memberOverload(
      'authorizer_path',
      [authorizerType, stringType],
      pathCheckType,
      ({ asker }: AuthorizerValue, path: string) =>
        new PathCheckValue(asker, required(path, 'path')),
    ),
  ],
  group: [
    memberOverload(
      'authorizer_group',
      [authorizerType, stringType],
      groupCheckType,
      ({ asker }: AuthorizerValue, group: string) => new GroupCheckValue(asker, group),
    ),
  ],
  serviceAccount: [
    memberOverload(
      'authorizer_serviceaccount',
      [authorizerType, stringType, stringType],
      authorizerType,
      ofServiceAccount,
    ),
  ],
  resource: [
    memberOverload(
      'groupcheck_resource',
      [groupCheckType, stringType],
      resourceCheckType,
      ({ asker, group }: GroupCheckValue, name: string) => {
        const resource = required(name, 'resource');
        return new ResourceCheckValue(asker, { ...emptyResource, group, resource });
      },
    ),
  ],
  subresource: setter('resourcecheck_subresource', 'subresource'),
  namespace: setter('resourcecheck_namespace', 'namespace'),
  name: setter('resourcecheck_name', 'name'),
  fieldSelector: setter('authorizer_fieldselector', 'fieldSelector'),
  labelSelector: setter('authorizer_labelselector', 'labelSelector'),
  check: [
    memberOverload(
      'pathcheck_check',
      [pathCheckType, stringType],
      decisionType,
      (check: PathCheckValue, verb: string) => check.decide(verb),
    ),
    memberOverload(
      'resourcecheck_check',
      [resourceCheckType, stringType],
      decisionType,
      (check: ResourceCheckValue, verb: string) => check.decide(verb),
    ),
  ],
  allowed: reader('decision_allowed', boolType, ({ allowed }) => allowed),
  reason: reader('decision_reason', stringType, ({ reason }) => reason ?? ''),
  errored: reader('decision_errored', boolType, ({ error }) => error !== undefined),
  error: reader('decision_error', stringType, ({ error }) => error ?? ''),
};
