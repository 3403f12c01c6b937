/**
 * What /metrics of the kubelet shows, under upstream's names: counters that the parts of the kubelet
 * hold (kubelet-metrics.ts), wrappers that count from outside (measure-*.ts), and gauges filled in
 * at each scrape. /metrics/cadvisor and /metrics/resource are in server/stats. Start reading at
 * kubelet-metrics.ts.
 */
export { createKubeletMetrics, type KubeletMetrics } from './kubelet-metrics.ts';
export { measureCgroups } from './measure-cgroups.ts';
export { measureClient } from './measure-client.ts';
export { measureStatuses, measureSteps } from './measure-pods.ts';
export { measureImageVolumes } from './measure-volumes.ts';
export { measureRuntime } from './measure-runtime.ts';
export { addVolumeCounts, addVolumeGauges } from './volume-gauges.ts';
export { addNodeGauges } from './node-gauges.ts';
export { addPodGauges } from './pod-gauges.ts';
export { addProcessMetrics } from './process-metrics.ts';
