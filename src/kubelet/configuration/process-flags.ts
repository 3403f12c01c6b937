/** Flags of the kubelet that are no fields of its configuration. `acts` ones are obeyed. */
export const processFlags: Readonly<
  Record<string, { effect: 'acts' | 'ignored' | 'refused'; why?: string }>
> = {
  config: { effect: 'acts' },
  'config-dir': { effect: 'acts' },
  'node-labels': { effect: 'acts' },
  'hostname-override': { effect: 'refused', why: 'use --node-name of k3ts' },
  'node-ip': { effect: 'refused', why: 'use --node-ip of k3ts' },
  'root-dir': { effect: 'refused', why: 'it is /var/lib/kubelet' },
  'cert-dir': { effect: 'refused', why: 'certificates are in the data directory of k3ts' },
  kubeconfig: { effect: 'refused', why: 'k3ts joins the cluster by --server and --token' },
  'bootstrap-kubeconfig': { effect: 'refused', why: 'k3ts joins the cluster by its token' },
  'cloud-provider': { effect: 'ignored', why: 'addresses are set by k3ts' },
  'cloud-config': { effect: 'refused', why: 'upstream has removed it' },
  'pod-infra-container-image': { effect: 'refused', why: 'use --pause-image of k3ts' },
  'image-credential-provider-config': { effect: 'refused', why: 'use the flag of k3ts' },
  'image-credential-provider-bin-dir': { effect: 'refused', why: 'use the flag of k3ts' },
  'runtime-cgroups': { effect: 'ignored', why: 'left to the service manager' },
  'exit-on-lock-contention': { effect: 'refused', why: 'k3ts has a lock of its own' },
  'lock-file': { effect: 'refused', why: 'k3ts has a lock of its own' },
  v: { effect: 'ignored', why: 'use --debug of k3ts' },
  vmodule: { effect: 'ignored', why: 'use --debug of k3ts' },
  'log-flush-frequency': { effect: 'ignored', why: 'logs are not held back' },
  'logging-format': { effect: 'ignored', why: 'the form of k3ts is used' },
  'experimental-allocatable-ignore-eviction': { effect: 'refused', why: 'upstream has removed it' },
  'keep-terminated-pod-volumes': { effect: 'refused', why: 'upstream has removed it' },
};
