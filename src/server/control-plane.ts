import { startClusterDns } from '#addons/mod.ts';
import type { ApiServer } from '#apiserver/mod.ts';
import { keepServiceAddresses } from '#apiserver/allocators/mod.ts';
import {
  bootstrapCluster,
  createAddressLeases,
  keepDefaultServiceCidr,
  keepFlowControl,
  keepIdentityLease,
  reconcileApiServerEndpoints,
  reconcileKubernetesService,
} from '#apiserver/bootstrap/mod.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createEventRecorder, createInformerFactory, resources } from '#client/mod.ts';
import type { InformerFactory } from '#client/mod.ts';
import { createServiceAccountTokens } from '#pki/mod.ts';
import type { Node } from '#schema/types.ts';
import type { Backend } from '#store/mod.ts';
import { trustOf } from './access/authentication.ts';
import { readApiServerArgs } from './api-server-args/mod.ts';
import { serverUser } from './api-access.ts';
import type { Authorities } from './authorities.ts';
import {
  createControllerClients,
  createManagerClient,
  createSchedulerClient,
} from './components/mod.ts';
import { checkScheduler, runScheduler } from './component-settings/mod.ts';
import type { ComponentSettings } from './component-settings/mod.ts';
import { isSharedDatastore, runWhileLeading } from './leadership.ts';
import { runLocalStorage } from './local-storage.ts';
import { keepNodeRoles } from './node-roles.ts';
import type { ServerSettings } from './settings.ts';

const leaseRenewMs = 10_000;
/** Clients and agents that wait for the API come before the code of the components is loaded. */
const componentsDelayMs = 20;

export interface ControlPlaneOptions {
  readonly api: ApiServer;
  readonly backend: Backend;
  readonly settings: ServerSettings;
  readonly components: ComponentSettings;
  readonly authorities: Authorities;
  /** PEM of the keys of service accounts; the first signs. */
  readonly serviceKey: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface ControlPlane {
  /** Resolves when all controllers have ended after the signal was aborted; never rejects. */
  readonly done: Promise<void>;
  /** Whether everything that controllers and scheduler look at was seen once. */
  readonly isSynced: boolean;
}

/**
 * Everything that works on the API from inside this process: the objects that every cluster has,
 * controllers, scheduler, DNS objects, the address of this server. Resolves when agents may go on;
 * everything ends with the signal, and `done` then resolves.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { api, settings, components, authorities, clock, random, log, signal } = options;
  const client = api.client(serverUser, 'k3ts');
  await checkScheduler(components.scheduling, { client, clock, random, log, signal });
  await bootstrapCluster({
    client,
    log,
    trust: trustOf(settings.apiServerArgs ?? readApiServerArgs(), authorities),
    serviceCidrs: settings.serviceCidrs,
    port: settings.advertisePort,
    addresses: [settings.advertiseAddress],
    signal,
  });
  keepAddress(options);
  keepFlowControl({ client, clock, log, signal });
  keepIdentityLease({ client, hostname: settings.nodeName, clock, random, log, signal });
  const manager = createManagerClient(api);
  const scheduler = createSchedulerClient(api);
  const informers = createInformerFactory({ client: manager, clock, random, log, signal });
  let isSynced = false;
  const controlPlane = (done: Promise<void>): ControlPlane => {
    void informers.synced().then(
      () => (isSynced = true),
      () => undefined,
    );
    return {
      done,
      get isSynced() {
        return isSynced;
      },
    };
  };
  const common = { clock, random, log, signal };
  void keepServiceAddresses({ ...common, client, informers });
  const component = 'kubernetes-service-cidr-controller';
  const recorder = createEventRecorder({ ...common, client, component });
  void keepDefaultServiceCidr({
    ...common,
    client,
    recorder,
    serviceCidrs: settings.serviceCidrs,
  });
  const isShared = isSharedDatastore(settings.datastoreEndpoint);
  /** Informers of its own where it may lose the lead: they go with it. */
  const lead = (name: string, work: (own: Leadership) => Promise<void>): Promise<void> =>
    runWhileLeading({
      ...common,
      client: name === 'kube-scheduler' ? scheduler : manager,
      name,
      host: settings.nodeName,
      isShared,
      work: (leading) => {
        const own = isShared
          ? createInformerFactory({ client: manager, clock, random, log, signal: leading })
          : informers;
        return work({ signal: leading, informers: own });
      },
    });
  if (!settings.disableScheduler) {
    void lead('kube-scheduler', async (own) => {
      await clock.sleep(componentsDelayMs, own.signal);
      const parts = { clock, random, log, signal: own.signal, client: scheduler };
      await runScheduler(components.scheduling, own.informers, parts, api.metrics);
      if (isShared) own.informers.start();
      await untilAborted(own.signal);
    });
  }
  void lead('local-path-provisioner', (own) => runLocalStorage({ ...options, ...own }));
  const nodes = informers.informer<Node>(resources.nodes);
  if (!settings.disableAgent) {
    keepNodeRoles({ client, nodes, nodeName: settings.nodeName, log });
  }
  if (!settings.disabled.has('coredns')) {
    startClusterDns({
      ...common,
      client,
      nodes,
      clusterDns: settings.clusterDns,
    });
  }
  if (settings.disableControllerManager) {
    informers.start();
    return controlPlane(Promise.resolve());
  }
  if (isShared) informers.start();
  const done = lead('kube-controller-manager', async (own) => {
    await clock.sleep(componentsDelayMs, own.signal);
    const { startControllers } = await import('#controllers/mod.ts');
    await startControllers({
      ...common,
      client: createControllerClients({ ...common, api, manager, ...own }),
      signal: own.signal,
      informers: own.informers,
      metrics: api.metrics,
      enabled: components.controllers.enabled,
      disabled: components.controllers.disabled,
      options: {
        resources: () => api.core.registry.all(),
        onResourcesChange: (listener) => api.core.registry.onChange(listener),
        rootCa: authorities.server.certificatePem,
        clusterCidrs: settings.clusterCidrs,
        signers: { client: authorities.client, server: authorities.server },
        signToken: createServiceAccountTokens(options.serviceKey).sign,
        ...components.controllers.options,
      },
    });
  });
  return controlPlane(done);
}

interface Leadership {
  readonly signal: AbortSignal;
  readonly informers: InformerFactory;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Keeps the kubernetes Service, and this server among its endpoints, while it lives. */
function keepAddress(options: ControlPlaneOptions): void {
  const { api, backend, settings, clock, log, signal } = options;
  const leases = createAddressLeases({ backend, address: settings.advertiseAddress });
  const client = api.client(serverUser, 'k3ts');
  const { serviceCidrs, advertisePort: port } = settings;
  const common = { client, serviceCidrs, port, signal };
  const loop = async (): Promise<void> => {
    for (;;) {
      try {
        await leases.renew();
        const addresses = await leases.addresses();
        // The Service itself comes back as well when somebody deleted it.
        await reconcileKubernetesService(common);
        await reconcileApiServerEndpoints({ ...common, addresses });
      } catch (error) {
        log.warning('Cannot renew the address of this server', { error: messageOf(error) });
      }
      await clock.sleep(leaseRenewMs, signal);
    }
  };
  loop().catch((error: unknown) => {
    if (!signal.aborted) log.error('Address lease ended', { error: messageOf(error) });
  });
}
