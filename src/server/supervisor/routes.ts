import type { Authorities } from '../authorities.ts';
import type { ServerSettings } from '../settings.ts';
import { clusterConfig } from './cluster-config.ts';
import type { SupervisorRoute } from './router.ts';

/** The supervisor's read-only routes. */
export function clusterRoutes(options: {
  settings: ServerSettings;
  authorities: Authorities;
  /** Addresses `ip:port` of all API servers. */
  apiServers(): Promise<readonly string[]>;
  /** Whether agents may go on: the API server and the core controllers are up. */
  isReady(): boolean;
}): SupervisorRoute[] {
  const { settings, authorities } = options;
  const config = JSON.stringify(clusterConfig(settings));
  const text = (
    path: string,
    access: SupervisorRoute['access'],
    body: string,
  ): SupervisorRoute => ({ path, methods: ['GET'], access, handle: () => ({ body }) });
  return [
    text('/cacerts', 'anyone', authorities.server.certificatePem),
    text('/ping', 'anyone', 'pong'),
    text('/v1-k3s/client-ca.crt', 'agent', authorities.client.certificatePem),
    text('/v1-k3s/server-ca.crt', 'agent', authorities.server.certificatePem),
    {
      path: '/v1-k3s/config',
      methods: ['GET'],
      access: 'agent',
      handle: () => ({ body: config, contentType: 'application/json' }),
    },
    {
      path: '/v1-k3s/apiservers',
      methods: ['GET'],
      access: 'agent',
      handle: async () => ({
        body: JSON.stringify(await options.apiServers()),
        contentType: 'application/json',
      }),
    },
    {
      path: '/v1-k3s/readyz',
      methods: ['GET'],
      access: 'agent',
      handle: () =>
        options.isReady() ? { body: 'ok' } : { status: 503, body: 'core controllers not ready' },
    },
  ];
}
