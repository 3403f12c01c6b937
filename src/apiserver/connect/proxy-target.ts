import { BlockList, isIP } from 'node:net';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Endpoint, EndpointSlice, Service } from '#schema/types.ts';
import { badRequest, notFound, serviceUnavailable } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { RequestInfo } from '../request.ts';
import type { BackendAddress, KubeletAddress } from './kubelet-transport.ts';
import { findPod, locateKubelet } from './node-location.ts';

/** Where a proxied request goes: to a kubelet with this server's identity, or to anyone else. */
export type ProxyTarget =
  | { kind: 'kubelet'; kubelet: KubeletAddress }
  | { kind: 'backend'; address: BackendAddress };

interface ProxyName {
  scheme: '' | 'http' | 'https';
  name: string;
  port: string;
}

/** `name`, `name:port`, `scheme:name:port` or `scheme:name:`; undefined for anything else. */
export function splitProxyName(text: string): ProxyName | undefined {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return first === '' ? undefined : { scheme: '', name: first, port: '' };
  if (parts.length === 2)
    return first === '' ? undefined : { scheme: '', name: first, port: second };
  if (parts.length > 3 || second === '') return undefined;
  if (first !== '' && first !== 'http' && first !== 'https') return undefined;
  return { scheme: first, name: second, port: third };
}

export interface LocateOptions {
  reader: ObjectReader;
  random: Random;
}

/** Finds what a proxy subresource stands for; throws with upstream's texts when it is nothing. */
export function locateProxyTarget(options: LocateOptions, info: RequestInfo): ProxyTarget {
  switch (info.resource) {
    case 'pods':
      return locatePod(options, info);
    case 'services':
      return locateService(options, info);
    default:
      return locateNode(options, info);
  }
}

function splitOrRefuse(info: RequestInfo, kind: string): ProxyName {
  const split = splitProxyName(info.name);
  if (split !== undefined) return split;
  throw badRequest(`invalid ${kind} request ${JSON.stringify(info.name)}`);
}

function locatePod({ reader }: LocateOptions, info: RequestInfo): ProxyTarget {
  const { scheme, name, port } = splitOrRefuse(info, 'pod');
  const pod = findPod(reader, info.namespace, name);
  const declared = pod.spec?.containers.find((container) => (container.ports ?? []).length > 0);
  const chosen = port === '' ? declared?.ports?.[0]?.containerPort : Number(port);
  return backend(scheme, pod.status?.podIP ?? '', chosen);
}

function locateService({ reader, random }: LocateOptions, info: RequestInfo): ProxyTarget {
  const { scheme, name, port } = splitOrRefuse(info, 'service');
  const service = reader.get<Service>(resources.services, info.namespace, name);
  if (service === undefined) throw notFound(resources.services, name);
  let portName = port;
  if (/^\d+$/.test(port)) {
    const found = service.spec?.ports?.find((one) => one.port === Number(port));
    if (found === undefined) {
      throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
    }
    portName = found.name ?? '';
  }
  const slices = reader
    .list<EndpointSlice>(resources.endpointSlices, info.namespace)
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name);
  const choices = slices.flatMap((slice) => {
    const target = slice.ports?.find((one) => (one.name ?? '') === portName)?.port;
    if (target === undefined) return [];
    const ready = (slice.endpoints ?? []).filter(isReady);
    return ready.flatMap((endpoint) => {
      const [address] = endpoint.addresses;
      return address === undefined ? [] : [{ address, target }];
    });
  });
  const choice = choices[random.integer(Math.max(choices.length, 1))];
  if (choice === undefined) {
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(info.name)}`);
  }
  return backend(scheme, choice.address, choice.target);
}

function isReady(endpoint: Endpoint): boolean {
  return endpoint.conditions?.ready !== false;
}

function locateNode({ reader }: LocateOptions, info: RequestInfo): ProxyTarget {
  const { scheme, name, port } = splitOrRefuse(info, 'node');
  const kubelet = locateKubelet(reader, name);
  if (port === '' || Number(port) === kubelet.port) return { kind: 'kubelet', kubelet };
  return backend(scheme, kubelet.host, Number(port));
}

const unproxyable = new BlockList();
unproxyable.addSubnet('127.0.0.0', 8, 'ipv4');
unproxyable.addSubnet('169.254.0.0', 16, 'ipv4');
unproxyable.addSubnet('224.0.0.0', 4, 'ipv4');
unproxyable.addAddress('0.0.0.0', 'ipv4');
unproxyable.addAddress('255.255.255.255', 'ipv4');
unproxyable.addAddress('::', 'ipv6');
unproxyable.addAddress('::1', 'ipv6');
unproxyable.addSubnet('fe80::', 10, 'ipv6');
unproxyable.addSubnet('ff00::', 8, 'ipv6');

/** Addresses of this machine and of no machine must not be reachable through the API server. */
function backend(scheme: string, host: string, port: number | undefined): ProxyTarget {
  const isTls = scheme === 'https';
  const family = isIP(host);
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const isRefused = host === '' || (family !== 0 && unproxyable.check(host, type));
  if (isRefused) throw badRequest('address not allowed');
  const chosen = port ?? (isTls ? 443 : 80);
  if (!Number.isInteger(chosen) || chosen < 1 || chosen > 65535) {
    throw badRequest(`invalid port ${JSON.stringify(String(port))}`);
  }
  return { kind: 'backend', address: { host, port: chosen, isTls } };
}
