import { messageOf } from '#base/errors.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { MutatingWebhook } from '#schema/types.ts';
import { internalError } from '../../api-errors.ts';
import { isSameJson } from '../../json-copy.ts';
import { isExempt, objectOf, viewOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import { Reinvocation } from '../matching/reinvocation.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { ReviewWriter } from './admission-review.ts';
import { patchedObject, readPatch } from './apply-patch.ts';
import { WebhookCaller } from './call-webhook.ts';
import type { WebhookPluginOptions } from './call-webhook.ts';
import { HookSource } from './hook-source.ts';
import type { HookCandidate } from './hook-source.ts';
import { selectHook } from './select-hook.ts';
import type { HookStates } from './select-hook.ts';
import { deniedBy, WebhookFailure } from './webhook-errors.ts';

const pluginName = 'MutatingAdmissionWebhook';

/** MutatingAdmissionWebhook: one after the other, each sees what those before it changed. */
export function createMutatingWebhookPlugin(options: WebhookPluginOptions): AdmissionPlugin {
  const source = new HookSource({
    ...options,
    resource: {
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      resource: 'mutatingwebhookconfigurations',
    },
  });
  return {
    name: pluginName,
    handles: (attributes) => source.candidates(attributes).length > 0 && !isExempt(attributes),
    mutate: async (attributes) =>
      await new MutatingPass(options, attributes).run(source.candidates(attributes)),
  };
}

/** One round of mutating webhooks over one request. */
class MutatingPass {
  readonly #options: WebhookPluginOptions;
  readonly #attributes: AdmissionAttributes;
  readonly #view: AdmissionRequestView;
  readonly #caller: WebhookCaller;
  readonly #reinvocation: Reinvocation;

  constructor(options: WebhookPluginOptions, attributes: AdmissionAttributes) {
    this.#options = options;
    this.#attributes = attributes;
    this.#view = viewOf(attributes);
    const writer = new ReviewWriter(attributes, this.#view, options.random);
    this.#caller = new WebhookCaller(options, attributes, writer);
    this.#reinvocation = attributes.reinvocation ??= new Reinvocation();
  }

  async run(candidates: readonly HookCandidate[]): Promise<void> {
    const own = this.#reinvocation.of(pluginName);
    const { isSecondRound } = this.#reinvocation;
    if (isSecondRound && own.isOutputChanged(this.#attributes.object)) own.requireEarlier();
    try {
      for (const candidate of candidates) {
        const states = await this.#select(candidate);
        if (states === undefined) continue;
        const { uid, webhook } = candidate.hook;
        if (isSecondRound && !own.isCalledAgain(uid)) continue;
        const isChanged = await this.#call(candidate, states);
        if (isChanged) {
          own.requireEarlier();
          this.#reinvocation.isWanted = true;
        }
        if ((webhook as MutatingWebhook).reinvocationPolicy === 'IfNeeded') own.addCalled(uid);
      }
    } finally {
      own.setOutput(this.#attributes.object);
    }
  }

  async #select(candidate: HookCandidate): Promise<HookStates | undefined> {
    const request = {
      attributes: this.#attributes,
      view: this.#view,
      object: objectOf(this.#attributes),
      caller: this.#caller,
      type: 'admit' as const,
    };
    return await selectHook(candidate, request, this.#options);
  }

  /** Whether the webhook changed the object. */
  async #call(candidate: HookCandidate, states: HookStates): Promise<boolean> {
    const { hook } = candidate;
    const startMs = this.#options.clock.monotonicMs();
    let isChanged = false;
    try {
      isChanged = await this.#review(candidate, states);
      this.#observe(candidate, startMs, undefined);
    } catch (error) {
      this.#observe(candidate, startMs, error);
      if (!(error instanceof WebhookFailure)) throw error;
      if (!hook.isFailOpen) throw internalError(messageOf(error), error);
      this.#options.log.warning('Failed calling webhook, failing open', {
        error: messageOf(error),
      });
      this.#annotate('failed-open.mutation', candidate, hook.name);
    } finally {
      const { configuration, name } = hook;
      const value = JSON.stringify({ configuration, webhook: name, mutated: isChanged });
      this.#annotate('mutation', candidate, value);
    }
    return isChanged;
  }

  async #review(candidate: HookCandidate, states: HookStates): Promise<boolean> {
    const { hook, resource } = candidate;
    const { name } = hook;
    const { isAllowed, status, patch } = await this.#caller.call(hook, resource, states, true);
    if (!isAllowed) throw deniedBy(name, status);
    if (patch === undefined) return false;
    const operations = readPatch(name, patch);
    if (operations.length === 0) return false;
    const { object } = states;
    if (object === undefined) {
      throw internalError(
        `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
      );
    }
    const typeName = this.#typeName(candidate);
    const patched = patchedObject(object, operations, { typeName });
    this.#annotatePatch(candidate, operations);
    if (isSameJson(patched, object)) return false;
    await this.#take(patched, candidate);
    return true;
  }

  /** Subresources with kinds of their own have no table of types here and are taken as they are. */
  #typeName({ resource }: HookCandidate): string {
    const { kind } = this.#view;
    return kind.kind === this.#view.resource.kind ? resource.typeName : '';
  }

  async #take(patched: UnknownObject, { resource }: HookCandidate): Promise<void> {
    const { context, operation, kind } = this.#attributes;
    // The options of a connection have been read by whoever makes it.
    if (operation === 'CONNECT') return;
    const isOwn = resource === context.resource || kind !== undefined;
    this.#attributes.object = isOwn
      ? patched
      : await this.#options.equivalents.convert(patched, resource, context.resource);
  }

  #annotatePatch(candidate: HookCandidate, operations: readonly unknown[]): void {
    if (this.#attributes.context.trail?.audit === undefined) return;
    const { configuration, name } = candidate.hook;
    const value = { configuration, webhook: name, patch: operations, patchType: 'JSONPatch' };
    this.#annotate('patch', candidate, JSON.stringify(value));
  }

  #annotate(prefix: string, { index }: HookCandidate, value: string): void {
    const round = this.#reinvocation.isSecondRound ? 1 : 0;
    const key = `${prefix}.webhook.admission.k8s.io/round_${round}_index_${index}`;
    this.#attributes.context.trail?.annotate(key, value);
  }

  #observe({ hook }: HookCandidate, startMs: number, error: unknown): void {
    this.#options.observe?.({
      webhook: hook.name,
      type: 'admit',
      operation: this.#attributes.operation,
      seconds: (this.#options.clock.monotonicMs() - startMs) / 1000,
      error,
      isFailOpen: hook.isFailOpen,
    });
  }
}
