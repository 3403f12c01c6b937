import { setTimeout as sleep } from 'node:timers/promises';
import { ApiextensionsV1Api, KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node';

import { leadWithLease } from './leader-lease.ts';
import { runSiteController } from './site-controller.ts';
import { startWebhooks, webhookConfigurations } from './webhooks.ts';
import { definition } from './website.ts';

export interface OperatorOptions {
  readonly config: KubeConfig;
  /** Names this instance among those that run at the same time. */
  readonly identity: string;
  /** Where the lease and the index are kept. */
  readonly namespace: string;
  /** Address at which the API server reaches the webhooks; port 0 takes a free one. */
  readonly webhookHost: string;
  readonly webhookPort: number;
  readonly leaseDurationMs?: number;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/**
 * Brings the kind Website to a cluster and works on it until the signal. Any number of instances may
 * run: one leads, another takes over when it goes. The leader's webhooks are the registered ones.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { config, identity, namespace, signal, log, leaseDurationMs = 15_000 } = options;
  const webhooks = await startWebhooks(options.webhookHost, options.webhookPort);
  try {
    const lease = { config, namespace, name: 'website-operator', identity, signal };
    await leadWithLease({ ...lease, durationMs: leaseDurationMs }, async (leading) => {
      log(`${identity} leads`);
      await untilDone(leading, log, async () => {
        await install(config, webhookConfigurations(webhooks));
      });
      await runSiteController({ config, namespace, signal: leading, log });
      log(`${identity} leads no more`);
    });
  } finally {
    await webhooks.close();
  }
}

/** Applies the definition, waits until it is served, and registers the webhooks. */
async function install(config: KubeConfig, registrations: object[]): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const apply = async (object: object): Promise<void> => {
    const strategy = PatchStrategy.ServerSideApply;
    await objects.patch(object, undefined, undefined, 'website-operator', true, strategy);
  };
  await apply(definition);
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  const { status } = await extensions.readCustomResourceDefinition(definition.metadata);
  const isServed = status?.conditions?.some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  if (isServed !== true) throw new Error('the definition is not established yet');
  for (const registration of registrations) await apply(registration);
}

async function untilDone(
  signal: AbortSignal,
  log: (line: string) => void,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
      return;
    } catch (error) {
      log(`not installed yet: ${String(error)}`);
      await sleep(200, undefined, { signal }).catch(() => undefined);
    }
  }
}
