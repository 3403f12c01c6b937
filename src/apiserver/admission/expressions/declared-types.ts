import type { CelField, CelType } from '#cel/mod.ts';

/** Types of the variables that every admission expression has, as upstream declares them. */

const text: CelType = { kind: 'string' };
const dyn: CelType = { kind: 'dyn' };

function object(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  const entries = Object.entries(fields).map(([key, type]): [string, CelField] => [key, { type }]);
  return { kind: 'object', name, fields: new Map(entries), hasPlainNames: true };
}

const groupVersionKind = object('kubernetes.GroupVersionKind', {
  group: text,
  version: text,
  kind: text,
});

const groupVersionResource = object('kubernetes.GroupVersionResource', {
  group: text,
  version: text,
  resource: text,
});

const userInfo = object('kubernetes.UserInfo', {
  username: text,
  uid: text,
  groups: { kind: 'list', element: text },
  extra: { kind: 'map', key: text, value: { kind: 'list', element: text } },
});

/** AdmissionRequest without its uid and objects. */
export const requestType: CelType = object('kubernetes.AdmissionRequest', {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: text,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: text,
  name: text,
  namespace: text,
  operation: text,
  userInfo,
  dryRun: { kind: 'bool' },
  options: dyn,
});

const stringMap: CelType = { kind: 'map', key: text, value: text };
const stringList: CelType = { kind: 'list', element: text };

/** The parts of a namespace that policies may look at. */
export const namespaceType: CelType = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: text,
    generateName: text,
    namespace: text,
    labels: stringMap,
    annotations: stringMap,
    UID: text,
    creationTimestamp: { kind: 'timestamp' },
    deletionGracePeriodSeconds: { kind: 'int' },
    deletionTimestamp: { kind: 'timestamp' },
    generation: { kind: 'int' },
    resourceVersion: text,
    finalizers: stringList,
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: stringList }),
  status: object('kubernetes.NamespaceStatus', {
    phase: text,
    conditions: {
      kind: 'list',
      element: object('kubernetes.NamespaceCondition', {
        status: text,
        type: text,
        lastTransitionTime: { kind: 'timestamp' },
        message: text,
        reason: text,
      }),
    },
  }),
});

/** Declarations of `object`, `oldObject`, `request`, `namespaceObject`, and what may be beside them. */
export function declaredVariables(options: {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** `object` and `params` with the schema of their kinds, for type checking. */
  readonly object?: CelType | undefined;
  readonly params?: CelType | undefined;
  readonly variables?: ReadonlyMap<string, CelField> | undefined;
}): Readonly<Record<string, CelType>> {
  const { hasParams, hasAuthorizer, object: objectType = dyn, params = dyn, variables } = options;
  return {
    object: objectType,
    oldObject: objectType,
    request: requestType,
    namespaceObject: namespaceType,
    ...(hasParams ? { params } : {}),
    ...(hasAuthorizer
      ? {
          authorizer: { kind: 'abstract', name: 'kubernetes.authorization.Authorizer' },
          'authorizer.requestResource': {
            kind: 'abstract',
            name: 'kubernetes.authorization.ResourceCheck',
          },
        }
      : {}),
    ...(variables === undefined
      ? {}
      : { variables: { kind: 'object', name: 'kubernetes.variables', fields: variables } }),
  };
}
