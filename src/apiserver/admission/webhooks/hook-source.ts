import type { GroupVersionResource, KubeObject, ResourceInfo } from '#schema/mod.ts';
import type { MatchCondition, MutatingWebhook, ValidatingWebhook } from '#schema/types.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { CandidateCache } from '../matching/candidate-cache.ts';
import type { EquivalentResources } from '../matching/equivalents.ts';
import { matchesRule } from '../matching/rules.ts';
import type { ResourceRule } from '../matching/rules.ts';
import { requestSelectors } from '../matching/selectors.ts';
import type { RequestSelectors } from '../matching/selectors.ts';
import type { AdmissionAttributes } from '../plugin.ts';

export type Webhook = MutatingWebhook | ValidatingWebhook;

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[] | undefined;
}

/** A webhook of a configuration, read and compiled once. */
export interface CompiledHook {
  readonly webhook: Webhook;
  readonly configuration: string;
  /** Names the webhook in texts for people; not unique. */
  readonly name: string;
  /** Unique: configuration, name, and how often the name occurred before. */
  readonly uid: string;
  readonly selectors: RequestSelectors;
  readonly conditions: readonly MatchCondition[];
  readonly isFailOpen: boolean;
}

/** A webhook that is about such requests, in the version that it wants to see. */
export interface HookCandidate {
  readonly hook: CompiledHook;
  /** Place among all webhooks, for the keys of audit annotations. */
  readonly index: number;
  readonly resource: ResourceInfo;
}

const none: readonly HookCandidate[] = [];

/**
 * All webhooks of one configuration kind, by name of the configuration and then in its order. They
 * follow the cache; which of them concern a kind of request is worked out once.
 */
export class HookSource {
  readonly #equivalents: EquivalentResources;
  readonly #configurations = new Map<string, readonly CompiledHook[]>();
  #hooks: readonly CompiledHook[] | undefined = [];
  readonly #candidates = new CandidateCache<HookCandidate>();

  constructor(options: {
    reader: ObjectReader;
    equivalents: EquivalentResources;
    resource: GroupVersionResource;
  }) {
    this.#equivalents = options.equivalents;
    options.equivalents.onChange(() => this.#candidates.clear());
    options.reader.onChange<WebhookConfiguration>(options.resource, ({ next, previous }) => {
      const name = (next ?? previous)?.metadata.name ?? '';
      if (next === undefined) this.#configurations.delete(name);
      else this.#configurations.set(name, compileConfiguration(next));
      this.#hooks = undefined;
      this.#candidates.clear();
    });
  }

  /** The webhooks whose rules fit the request; nearly free when there are none. */
  candidates(attributes: AdmissionAttributes): readonly HookCandidate[] {
    if (this.#configurations.size === 0) return none;
    return this.#candidates.get(attributes, () => this.#findCandidates(attributes));
  }

  #all(): readonly CompiledHook[] {
    this.#hooks ??= [...this.#configurations]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, hooks]) => hooks);
    return this.#hooks;
  }

  #findCandidates(attributes: AdmissionAttributes): readonly HookCandidate[] {
    const found: HookCandidate[] = [];
    for (const [index, hook] of this.#all().entries()) {
      const resource = this.#wantedResource(hook.webhook, attributes);
      if (resource !== undefined) found.push({ hook, index, resource });
    }
    return found;
  }

  /** The resource that the first fitting rule names: the asked one, else an equivalent one. */
  #wantedResource(webhook: Webhook, attributes: AdmissionAttributes): ResourceInfo | undefined {
    const { operation, subresource } = attributes;
    const { resource } = attributes.context;
    const rules = (webhook.rules ?? []) as readonly ResourceRule[];
    const fits = (rule: ResourceRule, wanted: ResourceInfo): boolean =>
      matchesRule(rule, { operation, subresource, resource: wanted });
    if (rules.some((rule) => fits(rule, resource))) return resource;
    if (webhook.matchPolicy === 'Exact') return undefined;
    const others = this.#equivalents.of(resource, subresource);
    for (const rule of rules) {
      const other = others.find((one) => fits(rule, one));
      if (other !== undefined) return other;
    }
    return undefined;
  }
}

function compileConfiguration(configuration: WebhookConfiguration): readonly CompiledHook[] {
  const { name: configurationName } = configuration.metadata;
  const seen = new Map<string, number>();
  return (configuration.webhooks ?? []).map((webhook) => {
    const { name } = webhook;
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return {
      webhook,
      configuration: configurationName,
      name,
      uid: `${configurationName}/${name}/${count}`,
      selectors: requestSelectors(webhook),
      conditions: webhook.matchConditions ?? [],
      isFailOpen: webhook.failurePolicy === 'Ignore',
    };
  });
}
