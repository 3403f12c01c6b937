import { hasReason } from '#base/api-status-error.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { ConfigMap, Secret } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { detachedSignature, signingToken, tokenNamespace, tokenType } from './bootstrap-token.ts';

const mapNamespace = 'kube-public';
const mapName = 'cluster-info';
const signaturePrefix = 'jws-kubeconfig-';

/** Keeps a signature of kube-public/cluster-info for each token that may sign. */
export const startBootstrapSigner: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const maps = informers.informer<ConfigMap>(resources.configMaps, {
    namespace: mapNamespace,
    fieldSelector: `metadata.name=${mapName}`,
  });
  const secrets = informers.informer<Secret>(resources.secrets, {
    namespace: tokenNamespace,
    fieldSelector: `type=${tokenType}`,
  });
  const key = `${mapNamespace}/${mapName}`;
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'bootstrap-signer-controller',
    clock,
    log,
    signal,
    ready: Promise.all([maps.synced(signal), secrets.synced(signal)]),
    async reconcile() {
      const map = maps.get(key);
      const content = map?.data?.['kubeconfig'];
      if (map === undefined || content === undefined) return;
      const others = Object.entries(map.data ?? {}).filter(
        ([name]) => !name.startsWith(signaturePrefix),
      );
      const data: Record<string, string> = Object.fromEntries(others);
      for (const secret of secrets.list()) {
        const token = signingToken(secret, clock.now());
        if (token === undefined) continue;
        const signature = detachedSignature(content, token.id, token.secret);
        data[`${signaturePrefix}${token.id}`] = signature;
      }
      if (isSameJson(map.data, data)) return;
      try {
        await client.update(resources.configMaps, { ...map, data }, { namespace: mapNamespace });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    },
  });
  const look = (): void => loop.queue.add(key);
  maps.addHandler({ onAdd: look, onUpdate: look });
  secrets.addHandler({ onAdd: look, onUpdate: look, onDelete: look });
  return loop.done;
};
