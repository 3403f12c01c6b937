import type { ValidatingAdmissionPolicySpec } from '#schema/types.ts';
import type { Clock } from '#base/clock.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { Decisions } from '../expressions/decisions.ts';
import { isExemptFromPolicies, objectOf, oldObjectOf, viewOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { AnnotationCollector, noteFailure } from './audit-annotations.ts';
import { policyDenial } from './denial.ts';
import { invocationsOf } from './invocations.ts';
import type { Invocation } from './invocations.ts';
import type { MatchContext } from './match-resources.ts';
import type { ParamContext } from './params.ts';
import { policyKinds } from './policy-kinds.ts';
import type { MutationObservation, PolicyObservation } from './policy-metrics.ts';
import { PolicySource } from './policy-source.ts';
import type { PolicyHook } from './policy-source.ts';
import { RequestBindings } from './request-bindings.ts';
import { ValidatingEvaluator } from './validating-evaluator.ts';

export interface PolicyPluginOptions extends MatchContext, ParamContext {
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** Told of decisions that were not to admit, and of those that an error made. */
  readonly observe?: ((observation: PolicyObservation) => void) | undefined;
  /** Told of each mutation. */
  readonly observeMutation?: ((observation: MutationObservation) => void) | undefined;
}

type Hook = PolicyHook<ValidatingAdmissionPolicySpec, ValidatingEvaluator>;

/** ValidatingAdmissionPolicy: every policy that concerns a request is asked; the first denial counts. */
export function createValidatingPolicyPlugin(options: PolicyPluginOptions): AdmissionPlugin {
  const source = new PolicySource<ValidatingAdmissionPolicySpec, ValidatingEvaluator>({
    ...options,
    kind: policyKinds.validating,
    compile: (policy) => new ValidatingEvaluator(policy.spec ?? {}),
  });
  return {
    name: policyKinds.validating.kind,
    handles: (attributes) =>
      source.candidates(attributes).length > 0 && !isExemptFromPolicies(attributes),
    validate: async (attributes) =>
      await new ValidatingPass(options, attributes).run(source.candidates(attributes)),
  };
}

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

/** All policies over one request. */
class ValidatingPass {
  readonly #options: PolicyPluginOptions;
  readonly #attributes: AdmissionAttributes;
  readonly #view: AdmissionRequestView;
  readonly #decisions: Decisions;
  readonly #bindings: RequestBindings;
  readonly #denials: Denial[] = [];

  constructor(options: PolicyPluginOptions, attributes: AdmissionAttributes) {
    this.#options = options;
    this.#attributes = attributes;
    this.#view = viewOf(attributes);
    this.#decisions = new Decisions(options.authorizer);
    this.#bindings = new RequestBindings(options, attributes, this.#view, this.#decisions);
  }

  async run(hooks: readonly Hook[]): Promise<void> {
    for (const hook of hooks) await this.#ask(hook);
    const [denial] = this.#denials;
    if (denial === undefined) return;
    const { policy, binding, message, reason } = denial;
    const by = binding === undefined ? '' : ` with binding '${binding}'`;
    const text = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
    throw policyDenial(this.#attributes, text, reason);
  }

  async #ask(hook: Hook): Promise<void> {
    const { policy } = hook;
    const request = { attributes: this.#attributes, view: this.#view };
    const annotations = new AnnotationCollector(policy.metadata.name);
    for await (const found of invocationsOf(hook, request, this.#options)) {
      if ('message' in found) {
        if (policy.spec?.failurePolicy === 'Ignore') continue;
        this.#denials.push({ policy: policy.metadata.name, ...found, reason: 'Invalid' });
      } else await this.#evaluate(hook, found, annotations);
    }
    annotations.publish(this.#attributes);
  }

  async #evaluate(
    hook: Hook,
    { binding, resource, param }: Invocation,
    annotations: AnnotationCollector,
  ): Promise<void> {
    const { clock, observe } = this.#options;
    const bindings = await this.#bindings.make(resource, {
      object: objectOf(this.#attributes),
      oldObject: oldObjectOf(this.#attributes),
    });
    const startMs = clock.monotonicMs();
    const evaluator = hook.compiled();
    const verdict = await this.#decisions.settle(() =>
      evaluator.evaluate({ ...bindings, params: param }),
    );
    const names = { policy: hook.policy.metadata.name, binding: binding.metadata.name };
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    for (const [index, decision] of verdict.decisions.entries()) {
      if (!decision.isDenied) {
        if (decision.isFaulty !== true) continue;
        observe?.({ ...names, action: 'allow', errorType: 'invalid_error', seconds });
        continue;
      }
      const { message } = decision;
      for (const action of binding.spec?.validationActions ?? []) {
        const errorType = decision.isFaulty ? 'invalid_error' : 'no_error';
        observe?.({ ...names, action: action.toLowerCase(), errorType, seconds });
        if (action === 'Deny') this.#denials.push({ ...names, ...decision });
        else if (action === 'Audit') noteFailure(this.#attributes, binding, index, message);
        else if (action === 'Warn') {
          this.#attributes.context.warnings.add(
            `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
          );
        }
      }
    }
    for (const [key, value] of verdict.annotations) annotations.add(key, value);
    for (const message of verdict.annotationErrors) {
      this.#denials.push({ ...names, message, reason: 'Invalid' });
    }
  }
}
