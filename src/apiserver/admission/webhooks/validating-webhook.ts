import { messageOf } from '#base/errors.ts';
import { internalError } from '../../api-errors.ts';
import { isExempt, objectOf, viewOf } from '../matching/request.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { ReviewWriter } from './admission-review.ts';
import { WebhookCaller } from './call-webhook.ts';
import type { WebhookPluginOptions } from './call-webhook.ts';
import { HookSource } from './hook-source.ts';
import type { HookCandidate } from './hook-source.ts';
import { selectHook } from './select-hook.ts';
import type { HookStates } from './select-hook.ts';
import { deniedBy, WebhookFailure } from './webhook-errors.ts';

interface ChosenHook {
  readonly candidate: HookCandidate;
  readonly states: HookStates;
}

/** ValidatingAdmissionWebhook: all that concern a request at the same time; one refusal is enough. */
export function createValidatingWebhookPlugin(options: WebhookPluginOptions): AdmissionPlugin {
  const source = new HookSource({
    ...options,
    resource: {
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      resource: 'validatingwebhookconfigurations',
    },
  });
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (attributes) => source.candidates(attributes).length > 0 && !isExempt(attributes),
    async validate(attributes) {
      const view = viewOf(attributes);
      const writer = new ReviewWriter(attributes, view, options.random);
      const caller = new WebhookCaller(options, attributes, writer);
      const chosen: ChosenHook[] = [];
      for (const candidate of source.candidates(attributes)) {
        const type = 'validating' as const;
        const request = { attributes, view, object: objectOf(attributes), caller, type };
        const states = await selectHook(candidate, request, options);
        if (states !== undefined) chosen.push({ candidate, states });
      }
      await askAll(chosen, attributes, caller, options);
    },
  };
}

/** Waits for all answers; the refusal that came first is thrown. */
async function askAll(
  chosen: readonly ChosenHook[],
  attributes: AdmissionAttributes,
  caller: WebhookCaller,
  options: WebhookPluginOptions,
): Promise<void> {
  const refusals: unknown[] = [];
  await Promise.all(
    chosen.map(async (one) => {
      try {
        await ask(one, attributes, caller, options);
      } catch (error) {
        refusals.push(error);
      }
    }),
  );
  if (refusals.length > 0) throw refusals[0];
}

async function ask(
  { candidate, states }: ChosenHook,
  attributes: AdmissionAttributes,
  caller: WebhookCaller,
  options: WebhookPluginOptions,
): Promise<void> {
  const { hook, index, resource } = candidate;
  const { clock, log, observe } = options;
  const startMs = clock.monotonicMs();
  const report = (error: unknown): void =>
    observe?.({
      webhook: hook.name,
      type: 'validating',
      operation: attributes.operation,
      seconds: (clock.monotonicMs() - startMs) / 1000,
      error,
      isFailOpen: hook.isFailOpen,
    });
  try {
    const verdict = await caller.call(hook, resource, states, false);
    if (!verdict.isAllowed) throw deniedBy(hook.name, verdict.status);
    report(undefined);
  } catch (error) {
    report(error);
    if (!(error instanceof WebhookFailure)) throw error;
    if (!hook.isFailOpen) throw internalError(messageOf(error), error);
    log.warning('Failed calling webhook, failing open', { error: messageOf(error) });
    const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`;
    attributes.context.trail?.annotate(key, hook.name);
  }
}
