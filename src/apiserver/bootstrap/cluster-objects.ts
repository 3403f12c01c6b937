import type { ConfigMap, Namespace, PriorityClass, ServiceCIDR } from '#schema/types.ts';

import { defaultFrontProxyHeaders } from '../authn/front-proxy.ts';
import type { FrontProxyHeaders } from '../authn/front-proxy.ts';

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;

export function defaultNamespaces(): Namespace[] {
  return systemNamespaces.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
}

export function defaultPriorityClasses(): PriorityClass[] {
  const apiVersion = 'scheduling.k8s.io/v1';
  const kind = 'PriorityClass';
  const preemptionPolicy = 'PreemptLowerPriority';
  return [
    {
      apiVersion,
      kind,
      metadata: { name: 'system-node-critical' },
      value: 2_000_001_000,
      description: 'Used for system critical pods that must not be moved from their current node.',
      preemptionPolicy,
    },
    {
      apiVersion,
      kind,
      metadata: { name: 'system-cluster-critical' },
      value: 2_000_000_000,
      description:
        'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
      preemptionPolicy,
    },
  ];
}

/** The ServiceCIDR `kubernetes` that stands for --service-cluster-ip-range. */
export function defaultServiceCidr(cidrs: readonly string[]): ServiceCIDR {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [...cidrs] },
  };
}

/** Where extension API servers read whom to trust. */
export interface ClusterTrust {
  /** PEM of --client-ca-file. */
  readonly clientCa: string;
  /** PEM of --requestheader-client-ca-file. */
  readonly requestHeaderCa: string;
  readonly requestHeaderAllowedNames: readonly string[];
  /** Names of the headers in which this server says who asks; upstream's when absent. */
  readonly requestHeaders?: FrontProxyHeaders | undefined;
}

/** kube-system/extension-apiserver-authentication. */
export function extensionAuthentication(trust: ClusterTrust): ConfigMap {
  const headers = trust.requestHeaders ?? defaultFrontProxyHeaders;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': trust.clientCa,
      'requestheader-allowed-names': JSON.stringify(trust.requestHeaderAllowedNames),
      'requestheader-client-ca-file': trust.requestHeaderCa,
      'requestheader-extra-headers-prefix': JSON.stringify(headers.extraPrefix),
      'requestheader-group-headers': JSON.stringify(headers.group),
      'requestheader-uid-headers': JSON.stringify(headers.uid),
      'requestheader-username-headers': JSON.stringify(headers.user),
    },
  };
}
