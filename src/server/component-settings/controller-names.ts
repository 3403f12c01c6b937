/** Controllers of upstream that k3ts has no part of its own for: naming them changes nothing. */
const withoutPart: ReadonlySet<string> = new Set([
  'cloud-node-lifecycle-controller',
  'device-taint-eviction-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'node-route-controller',
  'podcertificaterequest-cleaner-controller',
  'selinux-warning-controller',
  'service-lb-controller',
  'storage-version-migrator-controller',
  'storageversion-garbage-collector-controller',
  'validatingadmissionpolicy-status-controller',
]);

/** Names that controllers had before they got the present ones; upstream still takes them. */
const formerNames: Readonly<Record<string, string>> = {
  attachdetach: 'persistentvolume-attach-detach-controller',
  bootstrapsigner: 'bootstrap-signer-controller',
  'clusterrole-aggregation': 'clusterrole-aggregation-controller',
  cronjob: 'cronjob-controller',
  csrapproving: 'certificatesigningrequest-approving-controller',
  csrcleaner: 'certificatesigningrequest-cleaner-controller',
  csrsigning: 'certificatesigningrequest-signing-controller',
  daemonset: 'daemonset-controller',
  deployment: 'deployment-controller',
  disruption: 'disruption-controller',
  endpoint: 'endpoints-controller',
  endpointslice: 'endpointslice-controller',
  endpointslicemirroring: 'endpointslice-mirroring-controller',
  'ephemeral-volume': 'ephemeral-volume-controller',
  garbagecollector: 'garbage-collector-controller',
  horizontalpodautoscaling: 'horizontal-pod-autoscaler-controller',
  job: 'job-controller',
  namespace: 'namespace-controller',
  nodeipam: 'node-ipam-controller',
  nodelifecycle: 'node-lifecycle-controller',
  'persistentvolume-binder': 'persistentvolume-binder-controller',
  'persistentvolume-expander': 'persistentvolume-expander-controller',
  podgc: 'pod-garbage-collector-controller',
  'pv-protection': 'persistentvolume-protection-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller',
  replicaset: 'replicaset-controller',
  replicationcontroller: 'replicationcontroller-controller',
  resourcequota: 'resourcequota-controller',
  'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller',
  route: 'node-route-controller',
  service: 'service-lb-controller',
  serviceaccount: 'serviceaccount-controller',
  'serviceaccount-token': 'serviceaccount-token-controller',
  statefulset: 'statefulset-controller',
  tokencleaner: 'token-cleaner-controller',
  ttl: 'ttl-controller',
  'ttl-after-finished': 'ttl-after-finished-controller',
};

/** The controllers that there are, by name. */
type Controllers = Readonly<Record<string, unknown>>;

/** What `--controllers` says: `*` is all that are on by default, `-name` turns one off. */
export interface ControllerChoice {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

/** What is wrong with one entry of `--controllers`. */
export function controllerNameProblem(entry: string, controllers: Controllers): string | undefined {
  if (entry === '*') return undefined;
  const name = presentName(entry.replace(/^-/, ''));
  const isKnown = Object.hasOwn(controllers, name) || withoutPart.has(name);
  return isKnown ? undefined : `"${entry}" is not in the list of known controllers`;
}

/** Without `*` only the named ones run; an entry that comes first wins, as upstream. */
export function chooseControllers(
  entries: readonly string[],
  controllers: Controllers,
): ControllerChoice {
  const enabled: string[] = [];
  const disabled: string[] = [];
  for (const name of Object.keys(controllers)) {
    const said = entries.find((entry) => presentName(entry.replace(/^-/, '')) === name);
    if (said === undefined) {
      if (!entries.includes('*')) disabled.push(name);
    } else if (said.startsWith('-')) disabled.push(name);
    else enabled.push(name);
  }
  return { enabled, disabled };
}

function presentName(name: string): string {
  return Object.hasOwn(formerNames, name) ? (formerNames[name] ?? name) : name;
}
