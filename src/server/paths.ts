import { join } from 'node:path';

/** Where a server keeps its files: k3s' own layout, so that guides and tools work. */
export interface ServerPaths {
  readonly server: string;
  readonly tls: string;
  readonly credentials: string;
  readonly database: string;
  readonly token: string;
  readonly nodeToken: string;
  readonly agentToken: string;
  readonly passwd: string;
  readonly serviceKey: string;
  readonly serviceCurrentKey: string;
  readonly staticFiles: string;
  /** `tls/<name>.crt` or `.key`. */
  readonly tlsFile: (name: string) => string;
}

export function serverPaths(dataDir: string): ServerPaths {
  const server = join(dataDir, 'server');
  const tls = join(server, 'tls');
  return {
    server,
    tls,
    credentials: join(server, 'cred'),
    database: join(server, 'db'),
    token: join(server, 'token'),
    nodeToken: join(server, 'node-token'),
    agentToken: join(server, 'agent-token'),
    passwd: join(server, 'cred', 'passwd'),
    serviceKey: join(tls, 'service.key'),
    serviceCurrentKey: join(tls, 'service.current.key'),
    staticFiles: join(server, 'static'),
    tlsFile: (name) => join(tls, name),
  };
}
