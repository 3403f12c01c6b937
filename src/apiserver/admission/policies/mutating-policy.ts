import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { MutatingAdmissionPolicySpec } from '#schema/types.ts';
import { isSameJson } from '../../json-copy.ts';
import { Decisions } from '../expressions/decisions.ts';
import { refuse } from '../match.ts';
import { Reinvocation } from '../matching/reinvocation.ts';
import { isExemptFromPolicies, oldObjectOf, viewOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { mutatedObject } from './apply-mutation.ts';
import { invocationsOf } from './invocations.ts';
import type { Invocation } from './invocations.ts';
import { MutatingEvaluator } from './mutating-evaluator.ts';
import { policyKinds } from './policy-kinds.ts';
import { PolicySource } from './policy-source.ts';
import type { PolicyHook } from './policy-source.ts';
import { RequestBindings } from './request-bindings.ts';
import type { PolicyPluginOptions } from './validating-policy.ts';

type Hook = PolicyHook<MutatingAdmissionPolicySpec, MutatingEvaluator>;

const pluginName = policyKinds.mutating.kind;

/** MutatingAdmissionPolicy: one after the other, each sees what those before it changed. */
export function createMutatingPolicyPlugin(options: PolicyPluginOptions): AdmissionPlugin {
  const source = new PolicySource<MutatingAdmissionPolicySpec, MutatingEvaluator>({
    ...options,
    kind: policyKinds.mutating,
    compile: (policy) => new MutatingEvaluator(policy.spec ?? {}),
  });
  return {
    name: pluginName,
    handles: (attributes) =>
      source.candidates(attributes).length > 0 && !isExemptFromPolicies(attributes),
    mutate: async (attributes) =>
      await new MutatingPass(options, attributes).run(source.candidates(attributes)),
  };
}

type HookInvocation = Invocation & { readonly hook: Hook };

interface PolicyFailure {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

/** One round of policies over one request. */
class MutatingPass {
  readonly #options: PolicyPluginOptions;
  readonly #attributes: AdmissionAttributes;
  readonly #view: AdmissionRequestView;
  readonly #decisions: Decisions;
  readonly #bindings: RequestBindings;
  readonly #reinvocation: Reinvocation;
  readonly #failures: PolicyFailure[] = [];

  constructor(options: PolicyPluginOptions, attributes: AdmissionAttributes) {
    this.#options = options;
    this.#attributes = attributes;
    this.#view = viewOf(attributes);
    this.#decisions = new Decisions(options.authorizer);
    this.#bindings = new RequestBindings(options, attributes, this.#view, this.#decisions);
    this.#reinvocation = attributes.reinvocation ??= new Reinvocation();
  }

  async run(hooks: readonly Hook[]): Promise<void> {
    const invocations: HookInvocation[] = [];
    const request = { attributes: this.#attributes, view: this.#view };
    for (const hook of hooks) {
      for await (const found of invocationsOf(hook, request, this.#options)) {
        if ('message' in found) this.#fail(hook, found.binding, found.message, '');
        else invocations.push({ ...found, hook });
      }
    }
    const own = this.#reinvocation.of(pluginName);
    if (this.#reinvocation.isSecondRound && own.isOutputChanged(this.#attributes.object)) {
      own.requireEarlier();
    }
    try {
      for (const invocation of invocations) await this.#invoke(invocation);
    } finally {
      own.setOutput(this.#attributes.object);
    }
    this.#refuse();
  }

  #fail({ policy }: Hook, binding: string | undefined, message: string, reason: string): void {
    if (policy.spec?.failurePolicy === 'Ignore') return;
    this.#failures.push({ policy: policy.metadata.name, binding, message, reason });
  }

  async #invoke(invocation: HookInvocation): Promise<void> {
    const { hook, binding, resource, param } = invocation;
    const own = this.#reinvocation.of(pluginName);
    const evaluator = hook.compiled();
    const before = this.#attributes.object;
    const conditions = await this.#bind(resource, param);
    const isMet = await this.#decisions.settle(() => evaluator.matches(conditions));
    if (isMet instanceof Error) {
      this.#fail(hook, binding.metadata.name, isMet.message, 'Invalid');
      return;
    }
    const key = keyOf(invocation);
    if (!isMet || (this.#reinvocation.isSecondRound && !own.isCalledAgain(key))) return;
    for (let index = 0; index < evaluator.length; index++) {
      if (this.#attributes.object === undefined) break;
      await this.#mutate(invocation, evaluator, index);
    }
    if (this.#attributes.object !== before && !isSameJson(this.#attributes.object, before)) {
      own.requireEarlier();
      this.#reinvocation.isWanted = true;
    }
    if (hook.policy.spec?.reinvocationPolicy === 'IfNeeded') own.addCalled(key);
  }

  async #bind(
    resource: ResourceInfo,
    param: UnknownObject | null,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { object } = this.#attributes;
    const states = { object, oldObject: oldObjectOf(this.#attributes) };
    return { ...(await this.#bindings.make(resource, states)), params: param };
  }

  async #mutate(
    { hook, binding, resource, param }: HookInvocation,
    evaluator: MutatingEvaluator,
    index: number,
  ): Promise<void> {
    const bindings = await this.#bind(resource, param);
    const { clock, observeMutation } = this.#options;
    const startMs = clock.monotonicMs();
    const result = await this.#decisions.settle(() => evaluator.mutate(index, bindings));
    observeMutation?.({
      policy: hook.policy.metadata.name,
      binding: binding.metadata.name,
      errorType: result instanceof Error ? 'invalid_error' : 'no_error',
      seconds: (clock.monotonicMs() - startMs) / 1000,
    });
    if (result instanceof Error) {
      this.#fail(hook, binding.metadata.name, result.message, 'Invalid');
      return;
    }
    const object = bindings['object'] as UnknownObject;
    const { kind } = this.#attributes;
    const isOwnKind = this.#view.kind.kind === resource.kind;
    const typeName = isOwnKind ? resource.typeName : '';
    const types = this.#options.registry.byResource(resource)?.custom?.types;
    let mutated: UnknownObject;
    try {
      mutated = mutatedObject(object, result, { typeName }, isOwnKind ? types : undefined);
    } catch (error) {
      if (error instanceof ApiStatusError) throw error;
      this.#fail(hook, binding.metadata.name, messageOf(error), 'Invalid');
      return;
    }
    if (mutated === object) return;
    const { resource: own } = this.#view;
    const isOwn = resource === own || kind !== undefined;
    this.#attributes.object = isOwn
      ? mutated
      : await this.#options.equivalents.convert(mutated, resource, own);
  }

  /** 403 with the first failure as its message and all of them as causes. */
  #refuse(): void {
    const [first] = this.#failures;
    if (first === undefined) return;
    const texts = this.#failures.map(failureText);
    const { details, reason } = refuse(this.#attributes, '');
    throw new ApiStatusError({
      httpCode: 403,
      reason: first.reason === '' ? reason : first.reason,
      message: texts[0] ?? '',
      details: { ...details, causes: texts.map((message) => ({ message })) },
    });
  }
}

function failureText({ policy, binding, message }: PolicyFailure): string {
  const who =
    binding === undefined
      ? `policy ${JSON.stringify(policy)}`
      : `policy '${policy}' with binding '${binding}'`;
  return `${who} denied request: ${message}`;
}

function keyOf({ hook, binding, param }: HookInvocation): string {
  const own = param === null ? '' : `${param.metadata.namespace ?? ''}/${param.metadata.name}`;
  return `${hook.policy.metadata.name} ${binding.metadata.name} ${own}`;
}
