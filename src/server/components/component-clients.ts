import type { ApiServer } from '#apiserver/mod.ts';
import { gitVersion } from '#apiserver/mod.ts';
import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { createRequestMeter, resources } from '#client/mod.ts';
import type { Client, InformerFactory } from '#client/mod.ts';
import type { ControllerName } from '#controllers/mod.ts';
import type { ServiceAccount } from '#schema/types.ts';
import { accountOf, accountUser, managerUser, schedulerUser } from './component-users.ts';

const namespace = 'kube-system';
const retryMs = 5000;

/** Acts as kube-controller-manager itself: for its lease and for the informers that it shares. */
export function createManagerClient(api: ApiServer): Client {
  const client = api.client(managerUser, agentOf('kube-controller-manager'), true);
  return metered(api, client);
}

export function createSchedulerClient(api: ApiServer): Client {
  return metered(api, api.client(schedulerUser, agentOf('kube-scheduler', 'scheduler')));
}

/**
 * Clients of controllers, each acting as its own service account in kube-system. The account is
 * made when it is missing, and again when somebody deletes it; until then its user has no uid.
 */
export function createControllerClients(options: {
  readonly api: ApiServer;
  /** Makes the accounts. */
  readonly manager: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): (name: ControllerName) => Client {
  const { api, manager, clock, log, signal } = options;
  const accounts = options.informers.informer<ServiceAccount>(resources.serviceAccounts);
  const wanted = new Set<string>();
  const keep = async (name: string): Promise<void> => {
    await accounts.synced(signal).catch(() => undefined);
    while (!signal.aborted && accounts.get(`${namespace}/${name}`) === undefined) {
      try {
        await manager.create(resources.serviceAccounts, accountObject(name), { namespace });
        return;
      } catch (error) {
        if (hasReason(error, 'AlreadyExists') || signal.aborted) return;
        log.warning('Cannot make the account of a controller', { name, error: messageOf(error) });
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  };
  accounts.addHandler({
    onDelete({ metadata }) {
      if (metadata.namespace === namespace && wanted.has(metadata.name)) void keep(metadata.name);
    },
  });
  return (name) => {
    const account = accountOf(name);
    if (account === undefined) return manager;
    if (!wanted.has(account)) {
      wanted.add(account);
      void keep(account);
    }
    const user = accountUser(account, () => accounts.get(`${namespace}/${account}`)?.metadata.uid);
    const agent = agentOf('kube-controller-manager', user.name);
    return metered(api, api.client(user, agent, true));
  };
}

/** Counted with the metrics of the server: there is no connection, and so no host, in between. */
function metered({ metrics, core }: ApiServer, client: Client): Client {
  return createRequestMeter({ registry: metrics, clock: core.clock, host: 'in-process' })(client);
}

/** Acts as a controller of kube-controller-manager that is a part of the API server here. */
export function createAccountClient(api: Pick<ApiServer, 'client'>, account: string): Client {
  const user = accountUser(account, () => undefined);
  return api.client(user, agentOf('kube-controller-manager', user.name), true);
}

function accountObject(name: string): ServiceAccount {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

/** As client-go names programs; what is before the slash manages the fields that they write. */
function agentOf(program: string, part?: string): string {
  const { platform, arch } = process;
  const system = `${platform}/${arch === 'x64' ? 'amd64' : arch}`;
  const agent = `${program}/${gitVersion} (${system}) kubernetes/k3ts`;
  return part === undefined ? agent : `${agent}/${part}`;
}
