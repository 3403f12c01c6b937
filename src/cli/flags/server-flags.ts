import { componentArguments, components } from './component-flags.ts';
import { datastore } from './datastore-flags.ts';
import type { Flag } from './flag.ts';

const networking: readonly Flag[] = [
  {
    name: 'cluster-cidr',
    type: 'list',
    help: 'IPv4/IPv6 network CIDRs to use for pod IPs (default: 10.42.0.0/16)',
    group: 'networking',
  },
  {
    name: 'service-cidr',
    type: 'list',
    help: 'IPv4/IPv6 network CIDRs to use for service IPs (default: 10.43.0.0/16)',
    group: 'networking',
  },
  {
    name: 'service-node-port-range',
    type: 'string',
    default: '30000-32767',
    help: 'Port range to reserve for services with NodePort visibility',
    group: 'networking',
  },
  {
    name: 'cluster-dns',
    type: 'list',
    help: 'IPv4 Cluster IP for coredns service (default: 10.43.0.10)',
    group: 'networking',
  },
  {
    name: 'cluster-domain',
    type: 'string',
    default: 'cluster.local',
    help: 'Cluster Domain',
    group: 'networking',
  },
  {
    name: 'flannel-backend',
    type: 'string',
    default: 'vxlan',
    help: 'Backend: none, vxlan, host-gw, wireguard-native',
    group: 'networking',
    notBuilt: true,
    builtValues: ['vxlan', 'none'],
  },
  {
    name: 'flannel-ipv6-masq',
    type: 'boolean',
    help: 'Enable IPv6 masquerading for pod',
    group: 'networking',
    notBuilt: true,
  },
  {
    name: 'flannel-external-ip',
    type: 'boolean',
    help: 'Use node external IP addresses for Flannel traffic',
    group: 'networking',
    notBuilt: true,
  },
  {
    name: 'egress-selector-mode',
    type: 'string',
    default: 'agent',
    help: 'One of agent, cluster, pod, disabled',
    group: 'networking',
    notBuilt: true,
    builtValues: ['agent', 'disabled'],
  },
  {
    name: 'servicelb-namespace',
    type: 'string',
    default: 'kube-system',
    help: 'Namespace of the pods for the servicelb component',
    group: 'networking',
    notBuilt: true,
    builtValues: ['kube-system'],
  },
];

const listener: readonly Flag[] = [
  {
    name: 'bind-address',
    type: 'string',
    default: '0.0.0.0',
    help: 'Bind address',
    group: 'listener',
  },
  {
    name: 'https-listen-port',
    type: 'integer',
    default: 6443,
    help: 'HTTPS listen port',
    group: 'listener',
  },
  {
    name: 'advertise-address',
    type: 'string',
    help: 'IPv4/IPv6 address that apiserver uses to advertise to members of the cluster',
    group: 'listener',
  },
  {
    name: 'advertise-port',
    type: 'integer',
    help: 'Port that apiserver uses to advertise to members of the cluster',
    group: 'listener',
  },
  {
    name: 'tls-san',
    type: 'list',
    help: 'Add additional hostnames or IPv4/IPv6 addresses as Subject Alternative Names on the server TLS cert',
    group: 'listener',
  },
  {
    name: 'tls-san-security',
    type: 'boolean',
    default: true,
    help: 'Protect the server TLS cert by refusing to add Subject Alternative Names not associated with the kubernetes apiserver service, server nodes, or values of the tls-san option',
    group: 'listener',
  },
];

const client: readonly Flag[] = [
  {
    name: 'write-kubeconfig',
    short: 'o',
    type: 'string',
    env: 'K3S_KUBECONFIG_OUTPUT',
    help: 'Write kubeconfig for admin client to this file',
    group: 'client',
  },
  {
    name: 'write-kubeconfig-mode',
    type: 'string',
    env: 'K3S_KUBECONFIG_MODE',
    help: 'Write kubeconfig with this mode',
    group: 'client',
  },
  {
    name: 'write-kubeconfig-group',
    type: 'string',
    env: 'K3S_KUBECONFIG_GROUP',
    help: 'Write kubeconfig with this group',
    group: 'client',
  },
  {
    name: 'helm-job-image',
    type: 'string',
    help: 'Default image to use for helm jobs',
    group: 'helm',
    notBuilt: true,
  },
];

const cluster: readonly Flag[] = [
  {
    name: 'agent-token',
    type: 'string',
    env: 'K3S_AGENT_TOKEN',
    help: 'Shared secret used to join agents to the cluster, but not servers',
    group: 'cluster',
  },
  {
    name: 'agent-token-file',
    type: 'string',
    env: 'K3S_AGENT_TOKEN_FILE',
    help: 'File containing the agent secret',
    group: 'cluster',
  },
  {
    name: 'server',
    short: 's',
    type: 'string',
    env: 'K3S_URL',
    help: 'Server to connect to, used to join a cluster',
    group: 'cluster',
    notBuilt: true,
  },
  {
    name: 'cluster-init',
    type: 'boolean',
    env: 'K3S_CLUSTER_INIT',
    help: 'Initialize a new cluster using embedded Etcd',
    group: 'cluster',
    notBuilt: true,
  },
  {
    name: 'cluster-reset',
    type: 'boolean',
    env: 'K3S_CLUSTER_RESET',
    help: 'Forget all peers and become sole member of a new cluster',
    group: 'cluster',
    notBuilt: true,
  },
  {
    name: 'cluster-reset-restore-path',
    type: 'string',
    help: 'Path to snapshot file to be restored',
    group: 'cluster',
    notBuilt: true,
  },
  {
    name: 'cluster-secret',
    type: 'string',
    env: 'K3S_CLUSTER_SECRET',
    help: 'Use --token',
    group: 'cluster',
    hidden: true,
    deprecated: 'use --token',
  },
];

const experimental: readonly Flag[] = [
  {
    name: 'embedded-registry',
    type: 'boolean',
    help: 'Enable embedded distributed container registry',
    group: 'experimental',
    notBuilt: true,
  },
  {
    name: 'supervisor-metrics',
    type: 'boolean',
    help: 'Enable serving k3s internal metrics on the supervisor port',
    group: 'experimental',
    notBuilt: true,
  },
  {
    name: 'secrets-encryption',
    type: 'boolean',
    help: 'Enable secret encryption at rest',
    group: 'secrets',
  },
  {
    name: 'secrets-encryption-provider',
    type: 'string',
    help: 'Secret encryption provider (aescbc, secretbox)',
    group: 'secrets',
  },
  {
    name: 'system-default-registry',
    type: 'string',
    env: 'K3S_SYSTEM_DEFAULT_REGISTRY',
    help: 'Private registry to be used for all system images',
    group: 'agent',
    notBuilt: true,
  },
  {
    name: 'no-flannel',
    type: 'boolean',
    help: 'Use --flannel-backend=none',
    group: 'networking',
    hidden: true,
    deprecated: 'use --flannel-backend=none',
  },
  {
    name: 'disable-selinux',
    type: 'boolean',
    help: 'SELinux is off unless --selinux is given',
    group: 'agent',
    hidden: true,
    deprecated: 'SELinux is off unless --selinux is given',
  },
];

/** Flags of the server beside those it shares with an agent. */
export const serverFlags: readonly Flag[] = [
  ...listener,
  ...networking,
  ...client,
  ...cluster,
  ...componentArguments,
  ...datastore,
  ...components,
  ...experimental,
];
