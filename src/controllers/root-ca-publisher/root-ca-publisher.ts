import { hasReason } from '#base/api-status-error.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { ConfigMap, Namespace } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';

const configMapName = 'kube-root-ca.crt';
const descriptionAnnotation = 'kubernetes.io/description';
/** What the ConfigMap says of itself, word for word as upstream. */
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Keeps ConfigMap kube-root-ca.crt in each namespace: pods mount it beside their token. */
export const startRootCaPublisher: StartController = (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const namespaces = informers.informer<Namespace>(resources.namespaces);
  const fieldSelector = `metadata.name=${configMapName}`;
  const configMaps = informers.informer<ConfigMap>(resources.configMaps, { fieldSelector });
  const data = { 'ca.crt': options.rootCa };

  const publish = async (namespace: string): Promise<void> => {
    const live = configMaps.get(`${namespace}/${configMapName}`);
    if (live === undefined) {
      const annotations = { [descriptionAnnotation]: description };
      const wanted: ConfigMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: configMapName, namespace, annotations },
        data,
      };
      await client.create<ConfigMap>(resources.configMaps, wanted, { namespace });
      return;
    }
    const isDescribed = (live.metadata.annotations?.[descriptionAnnotation] ?? '') !== '';
    if (isSameJson(live.data, data) && isDescribed) return;
    const annotations = { ...live.metadata.annotations, [descriptionAnnotation]: description };
    const next = { ...live, metadata: { ...live.metadata, annotations }, data };
    await client.update<ConfigMap>(resources.configMaps, next, { namespace });
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'root-ca-certificate-publisher-controller',
    clock,
    log,
    signal,
    ready: Promise.all([namespaces.synced(signal), configMaps.synced(signal)]),
    async reconcile(namespace) {
      const home = namespaces.get(namespace);
      if (home === undefined || home.status?.phase === 'Terminating') return;
      try {
        await publish(namespace);
      } catch (error) {
        if (isNamespaceTerminating(error) || hasReason(error, 'AlreadyExists')) return;
        throw error;
      }
    },
  });
  const { queue } = loop;
  namespaces.addHandler({
    onAdd: ({ metadata }) => queue.add(metadata.name),
    onUpdate: (_old, { metadata }) => queue.add(metadata.name),
  });
  configMaps.addHandler({
    onUpdate: (_old, { metadata }) => queue.add(metadata.namespace ?? ''),
    onDelete: ({ metadata }) => queue.add(metadata.namespace ?? ''),
  });
  return loop.done;
};
