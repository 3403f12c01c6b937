import { acts, ignored, refused } from './field.ts';
import type { FieldTable } from './field.ts';

/** Fields about pods: where they come from, how they are started and ended. */
export const podFields: FieldTable = {
  staticPodPath: acts('text', '', 'pod-manifest-path'),
  staticPodURL: acts('text', '', 'manifest-url'),
  staticPodURLHeader: acts('object', undefined, 'manifest-url-header'),
  fileCheckFrequency: acts('duration', '20s'),
  httpCheckFrequency: acts('duration', '20s'),
  syncFrequency: acts('duration', '1m0s'),
  podLogsDir: refused('text', '/var/log/pods', 'logs of pods are in /var/log/pods'),
  clusterDomain: acts('text', ''),
  clusterDNS: acts('texts', undefined, 'cluster-dns'),
  resolvConf: acts('text', ''),
  allowedUnsafeSysctls: acts('texts'),
  seccompDefault: acts('boolean', false),
  'crashLoopBackOff.maxContainerRestartPeriod': acts('duration', undefined, 'none'),
  shutdownGracePeriod: acts('duration', '0s'),
  shutdownGracePeriodCriticalPods: acts('duration', '0s'),
  shutdownGracePeriodByPodPriority: acts('objects'),
  configMapAndSecretChangeDetectionStrategy: ignored(
    'text',
    'Watch',
    'objects are read when a container starts and once a minute for its volumes',
  ),
  runOnce: refused('boolean', false, 'upstream has removed it', 'runonce'),
  podCIDR: ignored('text', '', 'the network of pods is the one of the Node', 'pod-cidr'),
  hairpinMode: ignored('text', 'promiscuous-bridge', 'the network plugin decides'),
  enableControllerAttachDetach: ignored('boolean', true, 'volumes are attached by the server'),
  volumePluginDir: ignored(
    'text',
    '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/',
    'there are no FlexVolumes',
  ),
  'userNamespaces.idsPerPod': ignored(
    'integer',
    65536,
    "user namespaces are the runtime's",
    'none',
  ),
  runtimeRequestTimeout: ignored('duration', '2m0s', 'each call has a time limit of its own'),
  containerRuntimeEndpoint: refused('text', '', 'use --container-runtime-endpoint of k3ts'),
  imageServiceEndpoint: refused('text', '', 'use --image-service-endpoint of k3ts'),
};
