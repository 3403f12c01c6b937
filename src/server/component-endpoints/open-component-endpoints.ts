import { readFile } from 'node:fs/promises';
import type { ApiServer, HealthCheck } from '#apiserver/mod.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { readControllerManagerArgs, readSchedulerArgs } from '../component-args/mod.ts';
import type { ComponentSettings } from '../component-settings/mod.ts';
import { createManagerClient, createSchedulerClient } from '../components/mod.ts';
import type { ServerPaths } from '../paths.ts';
import type { ServerSettings } from '../settings.ts';
import { openComponentServer } from './component-server.ts';
import type { ComponentServer } from './component-server.ts';
import { controllerManagerConfigz, portSettings, schedulerConfigz } from './configz.ts';
import type { PortSettings } from './configz.ts';
import { podResourcesText } from './pod-resources.ts';

export interface ComponentEndpoints {
  /** For new connections. */
  setCertificate(tls: { cert: string; key: string }): void;
  close(): Promise<void>;
}

/**
 * Opens the ports that kube-scheduler (10259) and kube-controller-manager (10257) have, on loopback
 * unless told otherwise. One that is taken is told in the log: it does not keep the server down.
 */
export async function openComponentEndpoints(options: {
  readonly api: ApiServer;
  readonly settings: ServerSettings;
  readonly components: ComponentSettings;
  readonly paths: ServerPaths;
  /** Whether the informers of the components have seen everything once. */
  readonly isReady: () => boolean;
  readonly log: Logger;
}): Promise<ComponentEndpoints> {
  const { api, settings, components, paths, log } = options;
  const schedulerArgs = settings.schedulerArgs ?? readSchedulerArgs();
  const managerArgs = settings.controllerManagerArgs ?? readControllerManagerArgs();
  const wanted: Wanted[] = [];
  const schedulerPort = settings.disableScheduler ? undefined : portSettings(schedulerArgs);
  if (schedulerPort !== undefined) {
    const client = createSchedulerClient(api);
    const podResources = async (): Promise<string> =>
      await podResourcesText((await client.list<Pod>(resources.pods)).items);
    wanted.push({
      name: 'kube-scheduler',
      place: schedulerPort,
      client,
      texts: { '/metrics/resources': podResources },
      checks: schedulerChecks(options.isReady),
      configz: schedulerConfigz(components),
    });
  }
  const managerPort = settings.disableControllerManager ? undefined : portSettings(managerArgs);
  if (managerPort !== undefined) {
    wanted.push({
      name: 'kube-controller-manager',
      place: managerPort,
      client: createManagerClient(api),
      checks: [{ name: 'leaderElection', check: () => undefined }],
      configz: controllerManagerConfigz(managerArgs),
    });
  }
  if (wanted.length === 0) return { setCertificate: () => undefined, close: async () => undefined };
  const [cert, key, clientCa] = await Promise.all(
    ['serving-kube-apiserver.crt', 'serving-kube-apiserver.key', 'client-ca.crt'].map(
      async (name) => await readFile(paths.tlsFile(name), 'utf8'),
    ),
  );
  const tls = { cert: cert ?? '', key: key ?? '' };
  const servers: ComponentServer[] = [];
  for (const { place, ...component } of wanted) {
    const { name } = component;
    const { metrics } = api;
    const common = { tls, clientCa: clientCa ?? '', metrics, log };
    try {
      servers.push(await openComponentServer({ ...common, ...place, ...component }));
    } catch (error) {
      const { host, port } = place;
      log.warning('Cannot open the port of a component', {
        component: name,
        address: `${host}:${port}`,
        error: messageOf(error),
      });
    }
  }
  return {
    setCertificate(pair) {
      for (const server of servers) server.setCertificate(pair);
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

interface Wanted {
  readonly name: string;
  readonly place: PortSettings;
  readonly client: Client;
  readonly checks: readonly HealthCheck[];
  readonly configz: object;
  readonly texts?: Readonly<Record<string, () => Promise<string>>>;
}

function schedulerChecks(isReady: () => boolean): HealthCheck[] {
  const fine = (): void => undefined;
  const whenReady = (): void => {
    if (!isReady()) throw new K3tsError('NotReady', 'waiting for informers to sync');
  };
  return [
    { name: 'ping', check: fine },
    { name: 'leaderElection', check: fine, endpoints: ['healthz', 'livez'] },
    { name: 'shutdown', check: fine, endpoints: ['readyz'] },
    { name: 'informer-sync', check: whenReady, endpoints: ['readyz'] },
    { name: 'sched-handler-sync', check: whenReady, endpoints: ['readyz'] },
  ];
}
