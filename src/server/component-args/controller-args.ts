import { acts, ignored, notNegative, oneOf, portOrNone, positive, refused } from './argument.ts';
import { readComponentArgs } from './read-args.ts';
import type { ComponentArgs } from './read-args.ts';
import { processArgs } from './process-args.ts';

const workers = 'each controller works on as many objects at once as pays';
const noCloud = 'there is no cloud provider inside k3ts';
const oneSigner = 'cluster-signing-cert-file and cluster-signing-key-file count for all signers';
const fixedTime = 'k3ts uses the time of upstream';
const fromFlag = (flag: string): string => `use --${flag} of k3ts`;
const concurrent = (count: number) => ignored('integer', String(count), workers);

/** Every flag of kube-controller-manager that `--kube-controller-manager-arg` may name. */
export const controllerManagerArgTable = {
  ...processArgs,
  controllers: acts('list', '*'),
  'secure-port': acts('integer', '10257', portOrNone),
  'allocate-node-cidrs': acts('boolean', 'true'),
  'cluster-signing-cert-file': acts('text', ''),
  'cluster-signing-key-file': acts('text', ''),
  'cluster-signing-duration': acts('duration', '8760h0m0s', notNegative),
  'cluster-signing-kube-apiserver-client-cert-file': refused('text', oneSigner),
  'cluster-signing-kube-apiserver-client-key-file': refused('text', oneSigner),
  'cluster-signing-kubelet-client-cert-file': refused('text', oneSigner),
  'cluster-signing-kubelet-client-key-file': refused('text', oneSigner),
  'cluster-signing-kubelet-serving-cert-file': refused('text', oneSigner),
  'cluster-signing-kubelet-serving-key-file': refused('text', oneSigner),
  'cluster-signing-legacy-unknown-cert-file': refused('text', oneSigner),
  'cluster-signing-legacy-unknown-key-file': refused('text', oneSigner),
  'node-monitor-grace-period': acts('duration', '40s', notNegative),
  'root-ca-file': acts('text', ''),
  'terminated-pod-gc-threshold': acts('integer', '12500'),
  // given by k3ts itself
  'cluster-cidr': refused('text', fromFlag('cluster-cidr')),
  'service-cluster-ip-range': refused('text', fromFlag('service-cidr')),
  'service-account-private-key-file': refused('text', 'k3ts makes and keeps the key itself'),
  'cluster-name': ignored('text', 'kubernetes', noCloud),
  'cloud-config': ignored('text', '', noCloud),
  'cloud-provider': ignored('text', '', noCloud),
  'cloud-provider-gce-lb-src-cidrs': ignored('text', '', noCloud),
  'configure-cloud-routes': ignored('boolean', 'true', noCloud),
  'external-cloud-volume-plugin': ignored('text', '', noCloud),
  'route-reconciliation-period': ignored('duration', '10s', noCloud),
  'node-sync-period': ignored('duration', '0s', noCloud),
  'cidr-allocator-type': acts('text', 'RangeAllocator', oneOf('RangeAllocator')),
  'node-cidr-mask-size': acts('integer', '24', oneOf('0', '24')),
  'node-cidr-mask-size-ipv4': acts('integer', '24', oneOf('0', '24')),
  'node-cidr-mask-size-ipv6': acts('integer', '64', oneOf('0', '64')),
  // numbers of workers
  'concurrent-cron-job-syncs': concurrent(5),
  'concurrent-daemonset-syncs': concurrent(2),
  'concurrent-deployment-syncs': concurrent(5),
  'concurrent-device-taint-eviction-syncs': concurrent(8),
  'concurrent-endpoint-syncs': concurrent(5),
  'concurrent-ephemeralvolume-syncs': concurrent(5),
  'concurrent-gc-syncs': concurrent(20),
  'concurrent-horizontal-pod-autoscaler-syncs': concurrent(5),
  'concurrent-job-syncs': concurrent(5),
  'concurrent-namespace-syncs': concurrent(10),
  'concurrent-node-syncs': concurrent(1),
  'concurrent-rc-syncs': concurrent(5),
  'concurrent-replicaset-syncs': concurrent(5),
  'concurrent-resource-claim-syncs': concurrent(10),
  'concurrent-resource-quota-syncs': concurrent(5),
  'concurrent-service-endpoint-syncs': concurrent(5),
  'concurrent-service-syncs': concurrent(1),
  'concurrent-serviceaccount-token-syncs': concurrent(5),
  'concurrent-statefulset-syncs': concurrent(5),
  'concurrent-ttl-after-finished-syncs': concurrent(5),
  'concurrent-validating-admission-policy-status-syncs': concurrent(5),
  'max-endpoints-per-slice': acts('integer', '100', oneOf('100')),
  'mirroring-concurrent-service-endpoint-syncs': concurrent(5),
  'mirroring-endpointslice-updates-batch-period': ignored('duration', '0s', fixedTime),
  'mirroring-max-endpoints-per-subset': acts('integer', '1000', oneOf('1000')),
  // times and rates
  'attach-detach-reconcile-sync-period': ignored('duration', '1m0s', fixedTime),
  'controller-start-interval': ignored('duration', '0s', 'controllers start together'),
  'disable-attach-detach-reconcile-sync': ignored('boolean', 'false', fixedTime),
  'disable-force-detach-on-timeout': acts('boolean', 'false'),
  'enable-dynamic-provisioning': acts('boolean', 'true', oneOf('true')),
  'enable-garbage-collector': acts('boolean', 'true'),
  'enable-hostpath-provisioner': acts('boolean', 'false', oneOf('false')),
  'enable-leader-migration': ignored('boolean', 'false', noCloud),
  'endpoint-updates-batch-period': ignored('duration', '0s', fixedTime),
  'endpointslice-updates-batch-period': ignored('duration', '0s', fixedTime),
  'flex-volume-plugin-dir': ignored('text', '', 'FlexVolume is not built'),
  'horizontal-pod-autoscaler-cpu-initialization-period': acts('duration', '5m0s', notNegative),
  'horizontal-pod-autoscaler-downscale-stabilization': acts('duration', '5m0s', notNegative),
  'horizontal-pod-autoscaler-initial-readiness-delay': acts('duration', '30s', notNegative),
  'horizontal-pod-autoscaler-sync-period': acts('duration', '15s', positive),
  'horizontal-pod-autoscaler-tolerance': acts('number', '0.1', notNegative),
  'large-cluster-size-threshold': acts('integer', '50', notNegative),
  'leader-migration-config': ignored('text', '', noCloud),
  'legacy-service-account-token-clean-up-period': acts('duration', '8760h0m0s', notNegative),
  'min-resync-period': ignored('duration', '12h0m0s', 'watches need no resync'),
  'namespace-sync-period': ignored('duration', '5m0s', 'watches need no resync'),
  'node-eviction-rate': acts('number', '0.1', notNegative),
  'node-monitor-period': acts('duration', '5s', positive),
  'node-startup-grace-period': acts('duration', '1m0s', notNegative),
  'pv-recycler-increment-timeout-nfs': ignored('integer', '30', 'nothing is recycled'),
  'pv-recycler-minimum-timeout-hostpath': ignored('integer', '60', 'nothing is recycled'),
  'pv-recycler-minimum-timeout-nfs': ignored('integer', '300', 'nothing is recycled'),
  'pv-recycler-pod-template-filepath-hostpath': ignored('text', '', 'nothing is recycled'),
  'pv-recycler-pod-template-filepath-nfs': ignored('text', '', 'nothing is recycled'),
  'pv-recycler-timeout-increment-hostpath': ignored('integer', '30', 'nothing is recycled'),
  'pvclaimbinder-sync-period': ignored('duration', '15s', 'watches need no resync'),
  'resource-quota-sync-period': acts('duration', '5m0s', notNegative),
  'secondary-node-eviction-rate': acts('number', '0.01', notNegative),
  'unhealthy-zone-threshold': acts('number', '0.55', notNegative),
  'use-service-account-credentials': ignored('boolean', 'false', 'controllers share one identity'),
  'volume-host-allow-local-loopback': ignored('boolean', 'true', noCloud),
  'volume-host-cidr-denylist': ignored('list', '', noCloud),
} as const;

export type ControllerManagerArgs = ComponentArgs<typeof controllerManagerArgTable>;

/** Reads the values of `--kube-controller-manager-arg`; see readComponentArgs. */
export function readControllerManagerArgs(texts: readonly string[] = []): ControllerManagerArgs {
  return readComponentArgs('kube-controller-manager', controllerManagerArgTable, texts);
}
