import type { Flag } from './flag.ts';

/** Flags that are handed on to components. */
export const componentArguments: readonly Flag[] = [
  {
    name: 'kube-apiserver-arg',
    type: 'list',
    help: 'Customized flag for kube-apiserver process',
    group: 'flags',
    keepsCommas: true,
  },
  {
    name: 'etcd-arg',
    type: 'list',
    help: 'Customized flag for etcd process',
    group: 'flags',
    notBuilt: true,
  },
  {
    name: 'kube-controller-manager-arg',
    type: 'list',
    help: 'Customized flag for kube-controller-manager process',
    group: 'flags',
    keepsCommas: true,
  },
  {
    name: 'kube-scheduler-arg',
    type: 'list',
    help: 'Customized flag for kube-scheduler process',
    group: 'flags',
    keepsCommas: true,
  },
  {
    name: 'scheduler-plugin',
    type: 'list',
    help: 'Load a plugin of the scheduler from this TypeScript or JavaScript file',
    group: 'flags',
    keepsCommas: true,
  },
  {
    name: 'kube-cloud-controller-manager-arg',
    type: 'list',
    help: 'Customized flag for kube-cloud-controller-manager process',
    group: 'flags',
    notBuilt: true,
  },
];

/** Which components run, and where they keep things. */
export const components: readonly Flag[] = [
  {
    name: 'default-local-storage-path',
    type: 'string',
    help: 'Default local storage path for local provisioner storage class',
    group: 'storage',
  },
  {
    name: 'disable',
    type: 'list',
    help: 'Do not deploy packaged components and delete any deployed components (coredns, servicelb, traefik, local-storage, metrics-server, runtimes)',
    group: 'components',
  },
  {
    name: 'no-deploy',
    type: 'list',
    help: 'Use --disable',
    group: 'components',
    hidden: true,
    deprecated: 'use --disable',
  },
  {
    name: 'disable-scheduler',
    type: 'boolean',
    help: 'Disable Kubernetes default scheduler',
    group: 'components',
  },
  {
    name: 'disable-cloud-controller',
    type: 'boolean',
    help: 'Disable k3s default cloud controller manager',
    group: 'components',
  },
  {
    name: 'disable-kube-proxy',
    type: 'boolean',
    help: 'Disable running kube-proxy',
    group: 'components',
  },
  {
    name: 'disable-network-policy',
    type: 'boolean',
    help: 'Disable k3s default network policy controller',
    group: 'components',
  },
  {
    name: 'disable-helm-controller',
    type: 'boolean',
    help: 'Disable Helm controller',
    group: 'components',
  },
  {
    name: 'disable-agent',
    type: 'boolean',
    help: 'Do not run a local agent and register a local kubelet',
    group: 'components',
    hidden: true,
  },
  {
    name: 'disable-apiserver',
    type: 'boolean',
    help: 'Disable running api server',
    group: 'components',
    hidden: true,
    notBuilt: true,
  },
  {
    name: 'disable-controller-manager',
    type: 'boolean',
    help: 'Disable running kube-controller-manager',
    group: 'components',
    hidden: true,
  },
  {
    name: 'disable-etcd',
    type: 'boolean',
    help: 'Disable running etcd',
    group: 'components',
    hidden: true,
    notBuilt: true,
  },
];
