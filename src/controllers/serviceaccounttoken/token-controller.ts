import { hasReason } from '#base/api-status-error.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Secret, ServiceAccount } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { isDeleting } from '../pods/pod-state.ts';
import {
  accountNameOf,
  accountUidAnnotation,
  base64,
  tokenClaims,
  tokenType,
} from './token-secret.ts';

/** Fills Secrets that ask for a token of an account, and removes them when it is gone. */
export const startServiceAccountTokenController: StartController = (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const { signToken, rootCa } = options;
  if (signToken === undefined) return Promise.resolve();
  const accounts = informers.informer<ServiceAccount>(resources.serviceAccounts);
  const fieldSelector = `type=${tokenType}`;
  const secrets = informers.informer<Secret>(resources.secrets, { fieldSelector });

  const liveAccount = async (
    namespace: string,
    name: string,
  ): Promise<ServiceAccount | undefined> => {
    const known = accounts.get(`${namespace}/${name}`);
    if (known !== undefined) return known;
    try {
      return await client.get<ServiceAccount>(resources.serviceAccounts, name, { namespace });
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  };

  const fill = async (secret: Secret, account: ServiceAccount): Promise<void> => {
    const { name, namespace = '', annotations = {} } = secret.metadata;
    const { data = {} } = secret;
    const uid = account.metadata.uid ?? '';
    const wantedCa = base64(rootCa);
    const wantedNamespace = base64(namespace);
    const isDone =
      annotations[accountUidAnnotation] === uid &&
      (data['token'] ?? '') !== '' &&
      data['ca.crt'] === wantedCa &&
      data['namespace'] === wantedNamespace;
    if (isDone) return;
    const claims = tokenClaims(secret, { name: account.metadata.name, uid });
    const hasToken = (data['token'] ?? '') !== '';
    const token = hasToken ? data['token'] : base64(await signToken(claims));
    const next: Secret = {
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...annotations, [accountUidAnnotation]: uid },
      },
      data: { ...data, 'ca.crt': wantedCa, namespace: wantedNamespace, token: token as string },
    };
    try {
      await client.update<Secret>(resources.secrets, next, { namespace });
    } catch (error) {
      if (!isObjectGone(error, { metadata: { name } })) throw error;
    }
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'serviceaccount-token-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([accounts.synced(signal), secrets.synced(signal)]),
    async reconcile(key) {
      const secret = secrets.get(key);
      if (secret === undefined || isDeleting(secret)) return;
      const accountName = accountNameOf(secret);
      if (accountName === '') return;
      const { namespace = '', name, uid } = secret.metadata;
      const account = await liveAccount(namespace, accountName);
      const wantedUid = secret.metadata.annotations?.[accountUidAnnotation] ?? '';
      const isForeign = wantedUid !== '' && wantedUid !== account?.metadata.uid;
      if (account !== undefined && !isForeign) {
        await fill(secret, account);
        return;
      }
      try {
        await client.delete(resources.secrets, name, { namespace, preconditions: { uid } });
      } catch (error) {
        if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
      }
    },
  });
  const enqueue = (secret: Secret): void => loop.queue.add(objectKey(secret));
  secrets.addHandler({ onAdd: enqueue, onUpdate: (_old, secret) => enqueue(secret) });
  const enqueueOf = ({ metadata }: ServiceAccount): void => {
    for (const secret of secrets.listNamespace(metadata.namespace ?? '')) {
      if (accountNameOf(secret) === metadata.name) enqueue(secret);
    }
  };
  accounts.addHandler({ onAdd: enqueueOf, onDelete: enqueueOf });
  return loop.done;
};
