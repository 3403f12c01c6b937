import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Random } from '#base/random.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { ResourceRegistry } from '../resource-registry.ts';
import type { WebhookClient } from '../webhook-client/mod.ts';
import { createConditionMetrics } from './expressions/condition-metrics.ts';
import { createMatchConditionChecker } from './expressions/match-conditions.ts';
import { createEquivalentResources } from './matching/equivalents.ts';
import type { AdmissionPlugin } from './plugin.ts';
import {
  createMutatingPolicyPlugin,
  createMutationMetrics,
  createPolicyMetrics,
  createValidatingPolicyPlugin,
} from './policies/mod.ts';
import {
  createMutatingWebhookPlugin,
  createValidatingWebhookPlugin,
  createWebhookMetrics,
} from './webhooks/mod.ts';

export interface ExtensionPluginsOptions {
  readonly reader: ObjectReader;
  readonly registry: ResourceRegistry;
  readonly authorizer: Authorizer;
  /** One for each plugin, because a kubeconfig may give them different credentials. */
  readonly mutatingClient: WebhookClient;
  readonly validatingClient: WebhookClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
}

/** The plugins whose rules are objects: webhooks and policies. They go into AdmissionOptions.more. */
export function createExtensionPlugins(options: ExtensionPluginsOptions): AdmissionPlugin[] {
  const equivalents = createEquivalentResources(options.registry);
  const webhooks = {
    ...options,
    equivalents,
    conditions: createMatchConditionChecker({
      authorizer: options.authorizer,
      observe: createConditionMetrics(options.metrics, options.clock),
    }),
    observe: createWebhookMetrics(options.metrics),
  };
  const policies = {
    ...options,
    equivalents,
    observe: createPolicyMetrics(options.metrics),
    observeMutation: createMutationMetrics(options.metrics),
  };
  return [
    createMutatingPolicyPlugin(policies),
    createMutatingWebhookPlugin({ ...webhooks, client: options.mutatingClient }),
    createValidatingPolicyPlugin(policies),
    createValidatingWebhookPlugin({ ...webhooks, client: options.validatingClient }),
  ];
}
