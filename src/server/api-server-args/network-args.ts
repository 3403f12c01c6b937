import { ignored, refused } from '../component-args/argument.ts';

/** Addresses, other servers, kubelets: k3ts has flags of its own for most of these. */
export const networkArgs = {
  'service-cluster-ip-range': refused('list', 'use --service-cidr of k3ts'),
  'service-node-port-range': refused('text', 'use --service-node-port-range of k3ts'),
  'kubernetes-service-node-port': refused('integer', 'the kubernetes Service is a ClusterIP'),
  'endpoint-reconciler-type': ignored('text', 'lease', 'servers always hold leases'),
  'egress-selector-config-file': refused('text', 'use --egress-selector-mode of k3ts'),
  'kubelet-certificate-authority': refused('text', 'kubelets are checked with the server CA'),
  'kubelet-client-certificate': refused('text', 'k3ts issues this certificate'),
  'kubelet-client-key': refused('text', 'k3ts issues this certificate'),
  'kubelet-port': ignored('integer', '10250', 'the port is read from the node'),
  'kubelet-preferred-address-types': ignored('list', '', 'the order is that of k3s'),
  'kubelet-timeout': ignored('duration', '5s', 'connections to kubelets are bounded'),
  'proxy-client-cert-file': refused('text', 'k3ts issues this certificate'),
  'proxy-client-key-file': refused('text', 'k3ts issues this certificate'),
  'enable-aggregator-routing': ignored('boolean', 'true', 'endpoints are always asked directly'),
  'aggregator-reject-forwarding-redirects': ignored('boolean', 'true', 'none is followed'),
  'peer-advertise-ip': ignored('text', '', 'servers do not proxy for each other'),
  'peer-advertise-port': ignored('text', '', 'servers do not proxy for each other'),
  'peer-ca-file': ignored('text', '', 'servers do not proxy for each other'),
  'allow-privileged': ignored('boolean', 'true', 'as in k3s privileged pods are allowed'),
  'cloud-provider-gce-l7lb-src-cidrs': ignored('list', '', 'no cloud provider is built in'),
  'cloud-provider-gce-lb-src-cidrs': ignored('list', '', 'no cloud provider is built in'),
} as const;
