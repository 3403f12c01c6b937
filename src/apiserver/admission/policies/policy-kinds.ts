import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicySpec,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicySpec,
  Variable,
} from '#schema/types.ts';

/** What policies of both sorts have in common. */
export interface PolicySpec {
  readonly failurePolicy?: string | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly matchConstraints?: MatchResources | undefined;
  readonly paramKind?: ParamKind | undefined;
  readonly variables?: readonly Variable[] | undefined;
}

export interface Policy<S extends PolicySpec> extends KubeObject {
  readonly spec?: S | undefined;
}

export type ValidatingPolicy = Policy<ValidatingAdmissionPolicySpec>;
export type MutatingPolicy = Policy<MutatingAdmissionPolicySpec>;

export interface PolicyBinding extends KubeObject {
  readonly spec?:
    | {
        readonly policyName?: string | undefined;
        readonly paramRef?: ParamRef | undefined;
        readonly matchResources?: MatchResources | undefined;
        readonly validationActions?: readonly string[] | undefined;
      }
    | undefined;
}

function of(resource: string): GroupVersionResource {
  return { group: 'admissionregistration.k8s.io', version: 'v1', resource };
}

/** The two sorts of policies, with the names that texts and audit annotations give them. */
export const policyKinds = {
  validating: {
    kind: 'ValidatingAdmissionPolicy',
    policies: of('validatingadmissionpolicies'),
    bindings: of('validatingadmissionpolicybindings'),
  },
  mutating: {
    kind: 'MutatingAdmissionPolicy',
    policies: of('mutatingadmissionpolicies'),
    bindings: of('mutatingadmissionpolicybindings'),
  },
} as const;

export type PolicyKind = (typeof policyKinds)[keyof typeof policyKinds];

/** A policy or its binding cannot be used for this request; failurePolicy says what that means. */
export class ConfigurationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConfigurationError';
  }
}
