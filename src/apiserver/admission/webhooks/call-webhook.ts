import type { Clock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import type { WebhookClient } from '../../webhook-client/mod.ts';
import type { MatchConditionChecker } from '../expressions/match-conditions.ts';
import type { EquivalentResources } from '../matching/equivalents.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { reviewVersion } from './admission-review.ts';
import type { ReviewWriter } from './admission-review.ts';
import type { CompiledHook } from './hook-source.ts';
import { readAnswer } from './review-answer.ts';
import type { WebhookVerdict } from './review-answer.ts';
import { dryRunUnsupported, WebhookFailure } from './webhook-errors.ts';
import type { WebhookObservation } from './webhook-metrics.ts';

const defaultTimeoutSeconds = 10;

export interface WebhookPluginOptions {
  readonly reader: ObjectReader;
  readonly equivalents: EquivalentResources;
  readonly client: WebhookClient;
  readonly conditions: MatchConditionChecker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observe?: ((observation: WebhookObservation) => void) | undefined;
}

/** Calls to webhooks within one pass over one request. */
export class WebhookCaller {
  readonly #options: WebhookPluginOptions;
  readonly #attributes: AdmissionAttributes;
  readonly #writer: ReviewWriter;
  readonly #converted = new Map<UnknownObject, Map<ResourceInfo, UnknownObject>>();

  constructor(
    options: WebhookPluginOptions,
    attributes: AdmissionAttributes,
    writer: ReviewWriter,
  ) {
    this.#options = options;
    this.#attributes = attributes;
    this.#writer = writer;
  }

  /** The object in the version that a webhook wants; each version is made once. */
  async inVersion(
    object: UnknownObject | undefined,
    resource: ResourceInfo,
  ): Promise<UnknownObject | undefined> {
    const from = this.#attributes.context.resource;
    const hasOwnKind = this.#attributes.kind !== undefined;
    if (object === undefined || resource === from || hasOwnKind) return object;
    const versions = this.#converted.get(object) ?? new Map<ResourceInfo, UnknownObject>();
    this.#converted.set(object, versions);
    const known = versions.get(resource);
    if (known !== undefined) return known;
    const converted = await this.#options.equivalents.convert(object, from, resource);
    versions.set(resource, converted);
    return converted;
  }

  /**
   * Asks one webhook. Throws WebhookFailure when it gives no usable answer, and BadRequest for a
   * dry run that it does not support.
   */
  async call(
    hook: CompiledHook,
    resource: ResourceInfo,
    states: { object: UnknownObject | undefined; oldObject: UnknownObject | undefined },
    isMutating: boolean,
  ): Promise<WebhookVerdict> {
    const { webhook, name } = hook;
    if (this.#attributes.dryRun) {
      const { sideEffects } = webhook;
      if (sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw dryRunUnsupported(name);
    }
    const version = reviewVersion(webhook.admissionReviewVersions);
    if (version === undefined) {
      const text =
        'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)';
      throw new WebhookFailure(name, text);
    }
    const review = this.#writer.write({ version, resource, ...states });
    const answer = await this.#post(hook, review.text);
    let verdict: WebhookVerdict;
    try {
      verdict = readAnswer(answer, review, isMutating);
    } catch (error) {
      const text = `received invalid webhook response: ${messageOf(error)}`;
      throw new WebhookFailure(name, text, error);
    }
    const { warnings, trail } = this.#attributes.context;
    for (const [key, value] of Object.entries(verdict.auditAnnotations)) {
      trail?.annotate(`${name}/${key}`, value);
    }
    for (const warning of verdict.warnings) warnings.add(warning);
    return verdict;
  }

  async #post({ webhook, name }: CompiledHook, text: string): Promise<unknown> {
    const ownMs = (webhook.timeoutSeconds ?? defaultTimeoutSeconds) * 1000;
    const { query, signal } = this.#attributes.context;
    const timeoutMs = Math.min(ownMs, askedTimeoutMs(query.get('timeout')) ?? ownMs);
    try {
      return await this.#options.client.call(webhook.clientConfig, text, { timeoutMs, signal });
    } catch (error) {
      throw new WebhookFailure(name, `failed to call webhook: ${messageOf(error)}`, error);
    }
  }
}

/** No webhook gets longer than the whole request, in full seconds as upstream asks for. */
function askedTimeoutMs(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const askedMs = parseDuration(text);
  return askedMs > 0 ? Math.ceil(askedMs / 1000) * 1000 : undefined;
}
