import { hasReason } from '#base/api-status-error.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import type { Namespace, ServiceAccount } from '#schema/types.ts';
import type { StartController } from '../context.ts';

const accountName = 'default';

/** Keeps a service account `default` in each active namespace: pods without another one use it. */
export const startServiceAccountController: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const namespaces = informers.informer<Namespace>(resources.namespaces);
  const accounts = informers.informer<ServiceAccount>(resources.serviceAccounts);

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'serviceaccount-controller',
    clock,
    log,
    signal,
    ready: Promise.all([namespaces.synced(signal), accounts.synced(signal)]),
    async reconcile(namespace) {
      if (namespaces.get(namespace)?.status?.phase === 'Terminating') return;
      if (namespaces.get(namespace) === undefined) return;
      if (accounts.get(`${namespace}/${accountName}`) !== undefined) return;
      const account: ServiceAccount = {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: accountName, namespace },
      };
      try {
        await client.create<ServiceAccount>(resources.serviceAccounts, account, { namespace });
      } catch (error) {
        if (hasReason(error, 'AlreadyExists') || isNamespaceTerminating(error)) return;
        throw error;
      }
    },
  });
  const { queue } = loop;
  namespaces.addHandler({
    onAdd: ({ metadata }) => queue.add(metadata.name),
    onUpdate: (_old, { metadata }) => queue.add(metadata.name),
  });
  accounts.addHandler({
    onDelete({ metadata: { name, namespace = '' } }) {
      if (name === accountName) queue.add(namespace);
    },
  });
  return loop.done;
};
