import type { Client } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { Logger } from '#base/log.ts';
import type { ConfigMap, ServiceCIDR } from '#schema/types.ts';

import {
  defaultNamespaces,
  defaultPriorityClasses,
  defaultServiceCidr,
  extensionAuthentication,
} from './cluster-objects.ts';
import type { ClusterTrust } from './cluster-objects.ts';
import { reconcileServiceCidr } from './default-service-cidr.ts';
import { reconcileFlowControl } from './keep-flow-control.ts';
import { reconcileApiServerEndpoints, reconcileKubernetesService } from './kubernetes-service.ts';
import { rbacDefaults } from './rbac-defaults.ts';
import { reconcileBinding, reconcileRole } from './rbac-reconcile.ts';
import type { Change } from './rbac-reconcile.ts';
import { reconcileObjects } from './reconcile.ts';

export interface BootstrapOptions {
  /** Speaks as a member of system:masters: it hands out roles. */
  readonly client: Client;
  readonly log: Logger;
  readonly trust: ClusterTrust;
  readonly serviceCidrs: readonly string[];
  /** Port and addresses under which pods reach the API servers. */
  readonly port: number;
  readonly addresses: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates what every cluster has: namespaces, default roles and bindings, priority classes, flow
 * control, the kubernetes Service, the trust of extension servers. Safe to run on every start and
 * by several servers at once; writes only what differs. Rejects when the server cannot be used.
 */
export async function bootstrapCluster(options: BootstrapOptions): Promise<void> {
  const { client, signal } = options;
  const put = { client, signal };
  let writes = await reconcileObjects({
    ...put,
    resource: resources.namespaces,
    wanted: defaultNamespaces(),
  });
  const rbac = rbacDefaults();
  const counts = await Promise.all([
    reconcileObjects({
      ...put,
      resource: resources.clusterRoles,
      wanted: rbac.clusterRoles,
      compare: reconcileRole,
    }),
    reconcileObjects({
      ...put,
      resource: resources.clusterRoleBindings,
      wanted: rbac.clusterRoleBindings,
      compare: reconcileBinding,
    }),
    reconcileObjects({
      ...put,
      resource: resources.roles,
      wanted: rbac.roles,
      compare: reconcileRole,
    }),
    reconcileObjects({
      ...put,
      resource: resources.roleBindings,
      wanted: rbac.roleBindings,
      compare: reconcileBinding,
    }),
    reconcileObjects({
      ...put,
      resource: resources.priorityClasses,
      wanted: defaultPriorityClasses(),
    }),
    reconcileFlowControl(options),
    reconcileObjects<ConfigMap>({
      ...put,
      resource: resources.configMaps,
      wanted: [extensionAuthentication(options.trust)],
      compare: reconcileTrust,
    }),
    reconcileObjects<ServiceCIDR>({
      ...put,
      resource: resources.serviceCidrs,
      wanted: [defaultServiceCidr(options.serviceCidrs)],
      compare: reconcileServiceCidr,
    }),
  ]);
  await reconcileKubernetesService(options);
  await reconcileApiServerEndpoints(options);
  for (const count of counts) writes += count;
  options.log.info('cluster objects are in place', { writes });
}

/** Keeps what others added to the map; our own keys get our values. */
function reconcileTrust(stored: ConfigMap, wanted: ConfigMap): Change<ConfigMap> {
  const entries = Object.entries(wanted.data ?? {});
  if (entries.every(([key, value]) => stored.data?.[key] === value)) return { action: 'keep' };
  return { action: 'update', object: { ...stored, data: { ...stored.data, ...wanted.data } } };
}
