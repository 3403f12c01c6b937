import { resources } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { badRequest, notFound, plainError } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { KubeletAddress } from './kubelet-transport.ts';

/** Which of a node's addresses are tried, the best first: --kubelet-preferred-address-types. */
export const preferredAddressTypes: readonly string[] = ['InternalIP', 'ExternalIP', 'Hostname'];
const defaultKubeletPort = 10250;

/** Where the kubelet of a node listens; throws NotFound for a node that is not there. */
export function locateKubelet(reader: ObjectReader, nodeName: string): KubeletAddress {
  const node = reader.get<Node>(resources.nodes, '', nodeName);
  if (node === undefined) throw notFound(resources.nodes, nodeName);
  const addresses = node.status?.addresses ?? [];
  const found = preferredAddressTypes
    .map((type) => addresses.find((address) => address.type === type))
    .find((address) => address !== undefined);
  if (found === undefined) {
    throw plainError(
      `no preferred addresses found; known addresses: [${addresses.map((one) => one.address).join(' ')}]`,
    );
  }
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  return { nodeName, host: found.address, port: port === 0 ? defaultKubeletPort : port };
}

/** The pod that a subresource is asked of. */
export function findPod(reader: ObjectReader, namespace: string, name: string): Pod {
  const pod = reader.get<Pod>(resources.pods, namespace, name);
  if (pod === undefined) throw notFound(resources.pods, name);
  return pod;
}

/** The kubelet that runs a pod; BadRequest while nobody does. */
export function locatePodKubelet(reader: ObjectReader, pod: Pod): KubeletAddress {
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') {
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  }
  return locateKubelet(reader, nodeName);
}

/**
 * The container that is meant: the one named, or the only one. Every kind of container counts, with
 * upstream's texts where there is no telling.
 */
export function chooseContainer(pod: Pod, asked: string): string {
  const { name } = pod.metadata;
  const containers = [...(pod.spec?.containers ?? [])];
  const names = [
    ...(pod.spec?.initContainers ?? []),
    ...containers,
    ...(pod.spec?.ephemeralContainers ?? []),
  ].map((container) => container.name);
  if (asked !== '') {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [only] = names;
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${name}`);
  if (names.length === 1) return only;
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`,
  );
}
