import { acts, ignored, refused } from './field.ts';
import type { FieldTable } from './field.ts';

/** Fields about the Node object, the events and the process. */
export const nodeFields: FieldTable = {
  registerNode: acts('boolean', true),
  registerWithTaints: acts('objects'),
  providerID: acts('text', '', 'provider-id'),
  maxPods: acts('integer', 110),
  podsPerCore: acts('integer', 0),
  nodeStatusUpdateFrequency: acts('duration', '10s'),
  nodeStatusReportFrequency: acts('duration', '5m0s'),
  nodeLeaseDurationSeconds: acts('integer', 40),
  nodeStatusMaxImages: acts('integer', 50),
  eventRecordQPS: ignored('integer', 50, 'equal events are counted together', 'event-qps'),
  eventBurst: ignored('integer', 100, 'equal events are counted together'),
  kubeAPIQPS: ignored('integer', 50, 'the API server guards itself', 'kube-api-qps'),
  kubeAPIBurst: ignored('integer', 100, 'the API server guards itself', 'kube-api-burst'),
  contentType: ignored('text', 'application/vnd.kubernetes.protobuf', 'JSON is used'),
  oomScoreAdj: acts('integer', -999),
  maxOpenFiles: ignored('integer', 1_000_000, 'the limit of the service counts'),
  featureGates: acts('map'),
  logging: ignored('object', undefined, 'use --debug and --log of k3ts', 'none'),
  tracing: refused('object', undefined, 'traces are not exported', 'none'),
  showHiddenMetricsForVersion: ignored('text', '', 'there are no hidden metrics'),
  protectKernelDefaults: acts('boolean', false),
  makeIPTablesUtilChains: ignored(
    'boolean',
    true,
    'the proxy makes them',
    'make-iptables-util-chains',
  ),
  iptablesMasqueradeBit: ignored('integer', 14, 'the proxy decides', 'iptables-masquerade-bit'),
  iptablesDropBit: ignored('integer', 15, 'the proxy decides', 'iptables-drop-bit'),
  localStorageCapacityIsolation: acts('boolean', true),
  volumeStatsAggPeriod: ignored('duration', '1m0s', 'volumes are measured when asked'),
};
