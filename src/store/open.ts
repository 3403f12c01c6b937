import { join } from 'node:path';
import type { Backend } from './backend.ts';
import type { DatastoreTls } from './drivers/etcd/connection.ts';
import { openMemory } from './drivers/memory.ts';
import { openSqlite } from './drivers/sqlite.ts';
import { StoreError } from './errors.ts';
import type { BackendOptions } from './log-backend.ts';

export interface OpenBackendOptions extends BackendOptions {
  /** As k3s's --datastore-endpoint; empty for the SQLite file in the data dir. */
  endpoint: string;
  /** The server's data dir (`/var/lib/rancher/k3s/server`); the file is `db/state.db` in it. */
  dataDir: string;
  /** For datastores that are reached over TLS. */
  tls?: DatastoreTls | undefined;
}

type Open = (address: string, options: OpenBackendOptions) => Promise<Backend>;

/** Endpoint scheme to driver. */
const drivers: Record<string, Open> = {
  sqlite: async (address, options) =>
    await openSqlite({ ...options, path: sqlitePath(address, options.dataDir) }),
  memory: async (_address, options) => openMemory(options),
  mysql: notBuilt('MySQL and MariaDB'),
  postgres: notBuilt('PostgreSQL'),
  postgresql: notBuilt('PostgreSQL'),
  http: openEtcdCluster,
  https: openEtcdCluster,
  nats: notBuilt('NATS'),
};

/** Opens the datastore that an endpoint names. Rejects with StoreError `Unavailable`. */
export async function openBackend(options: OpenBackendOptions): Promise<Backend> {
  const { endpoint } = options;
  if (endpoint === '') return await drivers['sqlite']!('', options);
  const [, scheme = '', address = ''] = /^([a-z0-9+]+):\/\/(.*)$/i.exec(endpoint) ?? [];
  const open = Object.hasOwn(drivers, scheme.toLowerCase())
    ? drivers[scheme.toLowerCase()]
    : undefined;
  if (open === undefined) {
    const known = Object.keys(drivers).join(', ');
    throw new StoreError(
      'Unavailable',
      `Option --datastore-endpoint has no known scheme; use one of ${known}`,
    );
  }
  return await open(address, options);
}

/** The driver is loaded when it is asked for: most servers need no gRPC at this time. */
async function openEtcdCluster(_address: string, options: OpenBackendOptions): Promise<Backend> {
  const endpoints = options.endpoint.split(',').map((endpoint) => endpoint.trim());
  if (!endpoints.every((endpoint) => /^https?:\/\//i.test(endpoint) && URL.canParse(endpoint))) {
    throw new StoreError(
      'Unavailable',
      'Option --datastore-endpoint: every endpoint of an etcd cluster is an http or https URL',
    );
  }
  const { openEtcd } = await import('./drivers/etcd/open-etcd.ts');
  const { clock, log, tls } = options;
  return await openEtcd({ endpoints, tls, clock, log });
}

/** The endpoint is not repeated in the message: it may hold a password. */
function notBuilt(what: string): Open {
  return async () => {
    throw new StoreError(
      'Unavailable',
      `Option --datastore-endpoint: ${what} as datastore is not built yet; ` +
        'leave the option out to use SQLite',
    );
  };
}

/** Parameters of kine's DSN (`?_journal_mode=…`) are fixed here and therefore dropped. */
function sqlitePath(address: string, dataDir: string): string {
  const path = address.replace(/\?.*$/, '').replace(/^file:/, '');
  if (path === '') return join(dataDir, 'db', 'state.db');
  return path.startsWith('/') ? path : join(dataDir, path);
}
