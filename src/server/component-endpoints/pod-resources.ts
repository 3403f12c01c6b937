import { MetricRegistry } from '#base/metrics.ts';
import type { NumberMetric } from '#base/metrics.ts';
import { podLimits, podRequests } from '#schema/pods/mod.ts';
import type { ResourceAmounts } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';

const labels = ['namespace', 'node', 'pod', 'priority', 'resource', 'scheduler', 'unit'];
const byteResources = new Set(['memory', 'storage', 'ephemeral-storage']);

/**
 * What pods ask for and are limited to, as kube-scheduler shows it at /metrics/resources: one line
 * for each pod and resource, without pods that have ended.
 */
export async function podResourcesText(pods: readonly Pod[]): Promise<string> {
  const registry = new MetricRegistry();
  const limits = registry.gauge({
    name: 'kube_pod_resource_limit',
    help: 'What a pod is limited to, by resource.',
    stability: 'STABLE',
    labels,
  });
  const requests = registry.gauge({
    name: 'kube_pod_resource_request',
    help: 'What a pod asks for, by resource.',
    stability: 'STABLE',
    labels,
  });
  for (const pod of pods) {
    const isPlaced = (pod.spec?.nodeName ?? '') !== '';
    const hasEnded = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (isPlaced && hasEnded) continue;
    note(requests, pod, podRequests(pod));
    note(limits, pod, podLimits(pod));
  }
  return await registry.render();
}

function note(metric: NumberMetric, { metadata, spec }: Pod, amounts: ResourceAmounts): void {
  const { namespace = '', name } = metadata;
  const { nodeName = '', schedulerName = '', priority } = spec ?? {};
  for (const [resource, amount] of amounts) {
    if (amount === 0) continue;
    const values = [namespace, nodeName, name, priority === undefined ? '' : String(priority)];
    // CPUs are kept in thousandths
    const value = resource === 'cpu' ? amount / 1000 : amount;
    metric.with(...values, resource, schedulerName, unitOf(resource)).value = value;
  }
}

function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores';
  if (byteResources.has(resource) || resource.startsWith('hugepages-')) return 'bytes';
  return 'integer';
}
