import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createProblemLog } from '#base/problem-log.ts';
import type { Informer } from '#client/mod.ts';
import { openIptables } from '#host/iptables.ts';
import type { Iptables } from '#host/iptables.ts';
import { writeSysctl } from '#host/sysctl.ts';
import type { EndpointSlice, Service } from '#schema/types.ts';
import { deleteFlows, staleFlows } from './conntrack.ts';
import { ownedChainPattern } from './iptables/chain-names.ts';
import { ensureJumps } from './iptables/jumps.ts';
import { renderRules } from './iptables/render.ts';
import { renderChanges, RuleSet } from './iptables/rule-set.ts';
import { servicePorts } from './service-port.ts';
import type { IpFamily, ServicePort } from './service-port.ts';

/** Changes that come within this time share a sync; the first one is not held back. */
const gatherMs = 100;
const retryMs = 2000;
/** How often a flush by somebody else is looked for, as upstream. */
const canaryMs = 30_000;

export interface ServiceProxyOptions {
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
  readonly nodeName: string;
  readonly clusterCidrs: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** For tests; the machine's own tables when absent. */
  readonly openTables?: ((family: IpFamily) => Promise<Iptables>) | undefined;
}

export interface ServiceProxy {
  /** Resolves after the first complete sync. */
  readonly ready: Promise<void>;
  /** Wall time of the last good sync, for the health check. */
  readonly lastSyncMs: number;
}

/** Keeps the rules of one IP family in line with the Services. */
interface FamilySync {
  sync(): Promise<void>;
  /** Whether our chains are still there. */
  isIntact(): Promise<boolean>;
  /** Forgets what was applied, so that the next sync writes everything. */
  reset(): void;
}

const slicesByService = 'service';
const serviceNameLabel = 'kubernetes.io/service-name';

/** Starts the proxy. The informers must not be started yet: it adds an index. */
export function startServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  const { services, endpointSlices, clock, log, signal } = options;
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  endpointSlices.addIndex(slicesByService, (slice) => {
    const name = slice.metadata.labels?.[serviceNameLabel];
    return name === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${name}`];
  });
  const families = [...new Set(options.clusterCidrs.map((cidr) => (cidr.includes(':') ? 6 : 4)))];
  const syncs = families.map((family) => createFamilySync(family, options));
  const problems = createProblemLog({
    log,
    message: 'Cannot write service rules; trying again',
    recovered: 'Service rules are written again',
  });
  let lastSyncMs = clock.now();
  let timer: Timer | undefined;
  let isSyncing = false;
  let isDirty = false;

  const trigger = (delayMs: number): void => {
    if (signal.aborted) return;
    isDirty = true;
    if (isSyncing) return;
    timer ??= clock.after(delayMs, () => {
      timer = undefined;
      void run();
    });
  };
  const run = async (): Promise<void> => {
    if (!services.hasSynced || !endpointSlices.hasSynced) return;
    isSyncing = true;
    isDirty = false;
    let nextMs = gatherMs;
    try {
      for (const family of syncs) await family.sync();
      lastSyncMs = clock.now();
      problems.worked();
      resolve();
    } catch (error) {
      problems.failed(error);
      for (const family of syncs) family.reset();
      isDirty = true;
      nextMs = retryMs;
    }
    isSyncing = false;
    if (isDirty) trigger(nextMs);
  };
  const changed = (): void => trigger(timer === undefined ? 0 : gatherMs);
  const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
  services.addHandler(handler);
  endpointSlices.addHandler(handler);
  const started = Promise.all([services.synced(signal), endpointSlices.synced(signal)]);
  started.then(changed, () => undefined);
  watchCanary(syncs, () => trigger(0), options);
  return {
    ready,
    get lastSyncMs() {
      return lastSyncMs;
    },
  };
}

/** Notices that somebody flushed our chains, and writes them again. */
function watchCanary(
  syncs: readonly FamilySync[],
  trigger: () => void,
  { clock, log, signal }: ServiceProxyOptions,
): void {
  const check = async (): Promise<void> => {
    for (const family of syncs) {
      if (await family.isIntact()) continue;
      log.info('Service rules were flushed by somebody; writing them again');
      family.reset();
      trigger();
    }
  };
  const loop = (): void => {
    clock.after(canaryMs, () => {
      if (signal.aborted) return;
      check()
        .catch((error: unknown) => log.warning('Cannot look at rules', { error: messageOf(error) }))
        .finally(loop);
    });
  };
  loop();
}

function createFamilySync(family: IpFamily, options: ServiceProxyOptions): FamilySync {
  const { services, endpointSlices, nodeName, log } = options;
  const clusterCidr = options.clusterCidrs.find((cidr) => cidr.includes(':') === (family === 6));
  const open = options.openTables ?? ((of) => openIptables({ family: of }));
  let tables: Promise<Iptables> | undefined;
  let applied: RuleSet | undefined;
  let appliedPorts: readonly ServicePort[] = [];

  const start = async (iptables: Iptables): Promise<RuleSet> => {
    // What a process before us left is removed, unless it is wanted again.
    const left = await leftoverChains(iptables);
    if (family === 4 && options.openTables === undefined) {
      // Lets 127.0.0.1:<nodePort> leave through the bridge.
      await writeSysctl('net.ipv4.conf.all.route_localnet', '1');
    }
    return left;
  };

  /** Tools that are missing may be installed later. */
  const opened = async (): Promise<Iptables> => {
    tables ??= open(family);
    return await tables.catch((error: unknown) => {
      tables = undefined;
      throw error;
    });
  };

  return {
    async sync() {
      const iptables = await opened();
      const isFirst = applied === undefined;
      const before = applied ?? (await start(iptables));
      const ports = services
        .list()
        .flatMap((service) =>
          servicePorts(service, slicesOf(endpointSlices, service), family, nodeName),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const after = renderRules(ports, { family, clusterCidr });
      const batch = renderChanges(before, after);
      if (batch !== '') await iptables.restore(batch);
      if (isFirst) await ensureJumps(iptables);
      const flows = staleFlows(appliedPorts, ports);
      applied = after;
      appliedPorts = ports;
      if (flows.length > 0) await deleteFlows(flows, family, log);
    },
    async isIntact() {
      if (applied === undefined || tables === undefined) return true;
      return await (await tables).check(['-t', 'nat', '-S', 'KUBE-PROXY-CANARY']);
    },
    reset() {
      applied = undefined;
    },
  };
}

function slicesOf(slices: Informer<EndpointSlice>, service: Service): EndpointSlice[] {
  const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
  return slices.byIndex(slicesByService, key);
}

/** Service chains that are in the kernel, as a rule set without rules: none of them is up to date. */
async function leftoverChains(iptables: Iptables): Promise<RuleSet> {
  const left = new RuleSet();
  for (const line of (await iptables.save('nat')).split('\n')) {
    const chain = /^:(\S+)/.exec(line)?.[1];
    // A rule that no chain has makes every chain count as changed.
    if (chain !== undefined && ownedChainPattern.test(chain)) left.add('nat', chain, '');
  }
  return left;
}
