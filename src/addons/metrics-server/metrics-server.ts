import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createReconcileLoop } from '#base/reconcile-loop.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { ClusterRole } from '#schema/types.ts';
import { createMetricsApi, metricsGroup, metricsResources } from './metrics-api.ts';
import type { ClusterReader, MetricsAnswer, MetricsRequest } from './metrics-api.ts';
import { scrapeNodes } from './scrape-loop.ts';
import { createUsageStore } from './usage-store.ts';

const retryMs = 2000;

/** metrics-server's place in the cluster: an API without storage, fed from the kubelets. */
export interface MetricsServer {
  /** For the aggregation layer. */
  readonly api: {
    readonly group: string;
    readonly version: string;
    readonly groupPriorityMinimum: number;
    readonly versionPriority: number;
    readonly resources: typeof metricsResources;
    handle(request: MetricsRequest): MetricsAnswer;
  };
  /** Reads usage until the signal is aborted; to be called once the API answers. */
  start(signal: AbortSignal): void;
}

/** `client` must be allowed to proxy to nodes and to write cluster roles. */
export function createMetricsServer(options: {
  reader: ClusterReader;
  client: Client;
  clock: Clock;
  log: Logger;
}): MetricsServer {
  const { client, clock, log } = options;
  const store = createUsageStore();
  return {
    api: {
      ...metricsGroup,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      resources: metricsResources,
      handle: createMetricsApi({ ...options, store }),
    },
    start(signal) {
      void scrapeNodes({ ...options, store, signal });
      createReconcileLoop({
        reconcile: () => createReaderRole(client),
        onError: (error) =>
          log.warning('Cannot write the role of metrics readers', { error: messageOf(error) }),
        retryMs,
        clock,
        signal,
      })();
    },
  };
}

/** Lets everybody who may view, edit or administer a namespace read its usage. */
async function createReaderRole(client: Client): Promise<void> {
  const aggregateTo = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
  const role: ClusterRole = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name: 'system:aggregated-metrics-reader',
      labels: {
        [aggregateTo('view')]: 'true',
        [aggregateTo('edit')]: 'true',
        [aggregateTo('admin')]: 'true',
      },
    },
    rules: [
      {
        apiGroups: [metricsGroup.group],
        resources: ['pods', 'nodes'],
        verbs: ['get', 'list', 'watch'],
      },
    ],
  };
  try {
    await client.create(resources.clusterRoles, role);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}
