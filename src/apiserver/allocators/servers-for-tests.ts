import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { IPAddress, Service, ServiceCIDR } from '#schema/types.ts';
import { openBackend } from '#store/mod.ts';
import type { Backend } from '#store/mod.ts';

import { createApiServer } from '../server.ts';
import type { ApiServer } from '../server.ts';
import { decodeRangeAllocation } from './range-allocation.ts';
import { createServiceAllocation } from './service-allocation.ts';
import { nodePortsKey } from './stored-ports.ts';

const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** API servers that share a datastore, with nothing but the allocation of Services. */
export interface SharedServers {
  readonly backend: Backend;
  /** A client of each server. */
  readonly clients: readonly Client[];
  create(
    spec: object,
    options?: { name?: string; at?: number; dryRun?: boolean },
  ): Promise<Service>;
  update(old: Service, spec: object): Promise<Service>;
  remove(name: string): Promise<void>;
  /** Names of IPAddresses with the Services that they are for, sorted. */
  addresses(): Promise<string[]>;
  /** Node ports that are stored as taken, sorted. */
  ports(): Promise<number[]>;
  close(): Promise<void>;
}

export async function startSharedServers(
  options: {
    servers?: number;
    serviceCidrs?: string[];
    nodePorts?: { from: number; to: number };
    /** Where generated names come from. */
    names?: Random;
  } = {},
): Promise<SharedServers> {
  const { serviceCidrs = ['10.43.0.0/16'], nodePorts } = options;
  const store = await openBackend({
    clock: systemClock,
    log: silentLogger,
    endpoint: 'memory://',
    dataDir: '',
    previousOf: () => undefined,
  });
  const backend = asShared(store);
  const servers: ApiServer[] = [];
  for (let index = 0; index < (options.servers ?? 1); index++) {
    const random = seededRandom(index + 1);
    const server = createApiServer({
      backend,
      clock: systemClock,
      random: options.names ?? random,
      log: silentLogger,
      extend: (parts) => ({
        authenticator: { authenticate: () => Promise.resolve({ user: admin }) },
        authorizer: { authorize: () => Promise.resolve({ decision: 'allow', reason: '' }) },
        kindHooks: {
          services: createServiceAllocation({
            reader: parts.reader,
            client: parts.client(admin, 'test'),
            backend,
            clock: systemClock,
            random,
            log: silentLogger,
            serviceCidrs,
            nodePorts,
          }).hooks,
        },
      }),
    });
    await server.start();
    servers.push(server);
  }
  const clients = servers.map((server) => server.client(admin, 'test'));
  const [first] = clients;
  if (first === undefined) throw new Error('no server');
  await first.create<ServiceCIDR>(resources.serviceCidrs, {
    metadata: { name: 'kubernetes' },
    spec: { cidrs: serviceCidrs },
  });
  await first.create(resources.namespaces, { metadata: { name: 'ns' } });
  const namespace = 'ns';
  return {
    backend,
    clients,
    create(spec, { name = 's', at = 0, dryRun } = {}) {
      const service: Service = { metadata: { name, namespace }, spec: structuredClone(spec) };
      return (clients[at] ?? first).create(resources.services, service, { namespace, dryRun });
    },
    async update(old, spec) {
      const metadata = { name: old.metadata.name, namespace };
      const service: Service = { metadata, spec: structuredClone(spec) };
      return await first.update<Service>(resources.services, service, { namespace });
    },
    async remove(name) {
      await first.delete(resources.services, name, { namespace });
    },
    async addresses() {
      const { items } = await first.list<IPAddress>(resources.ipAddresses);
      return items.map(({ metadata, spec }) => `${metadata.name} ${spec?.parentRef?.name}`).sort();
    },
    async ports() {
      const found = await backend.get(nodePortsKey);
      const { range, taken } = decodeRangeAllocation(
        found?.value ?? Buffer.from('{"range":"0-0"}'),
      );
      const from = Number(range.split('-')[0]);
      return taken.map((offset) => from + offset).sort((a, b) => a - b);
    },
    async close() {
      for (const server of servers) await server.close();
      await store.close();
    },
  };
}

/** A store in memory as if other processes wrote to it too. */
function asShared(backend: Backend): Backend {
  return new Proxy(backend, {
    get(target, key) {
      if (key === 'exclusive') return false;
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
