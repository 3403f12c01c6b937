import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import type { KubeObject, UnknownObject } from '#schema/mod.ts';
import { ApiStatusError } from '#base/api-status-error.ts';

interface Scalable {
  spec?: { replicas?: number; selector?: { matchLabels?: Record<string, string> } };
  status?: { replicas?: number };
}

/** autoscaling/v1 Scale of a workload. */
export function scaleOf(live: UnknownObject): UnknownObject {
  const { spec, status } = live as unknown as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = live.metadata;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {});
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.replicas ?? 0 },
    status: {
      replicas: status?.replicas ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
  };
}

export function withScale(live: UnknownObject, scale: UnknownObject): UnknownObject {
  const next = structuredClone(live);
  const replicas = (scale as unknown as Scalable).spec?.replicas ?? 0;
  const spec = next['spec'] as { replicas?: number };
  if (spec.replicas !== replicas) next.metadata.generation = (next.metadata.generation ?? 0) + 1;
  spec.replicas = replicas;
  return next;
}

/** POST to a subresource: binding and eviction of pods, token of service accounts. */
export function createSubresource(context: {
  live: UnknownObject;
  body: UnknownObject;
  subresource: string;
  clock: Clock;
  put: (next: UnknownObject) => KubeObject;
  remove: () => void;
}): unknown {
  const { live, body, subresource, clock, put, remove } = context;
  if (subresource === 'binding') {
    put(bound(live, (body['target'] as { name: string }).name, clock));
    return success;
  }
  if (subresource === 'eviction') {
    remove();
    return success;
  }
  if (subresource === 'token') {
    const seconds = (body['spec'] as { expirationSeconds?: number }).expirationSeconds ?? 3600;
    const expirationTimestamp = formatTime(clock.now() + seconds * 1000);
    return { ...body, status: { token: `token-of-${live.metadata.name}`, expirationTimestamp } };
  }
  throw new Error(`the fake knows no create of ${subresource}`);
}

const success = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
} as const;

function bound(pod: UnknownObject, nodeName: string, clock: Clock): UnknownObject {
  const next = structuredClone(pod);
  const spec = (next['spec'] ??= {}) as { nodeName?: string };
  if ((spec.nodeName ?? '') !== '') {
    throw new ApiStatusError({
      httpCode: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on pods/binding "${pod.metadata.name}": pod ${pod.metadata.name} is already assigned to node "${spec.nodeName}"`,
    });
  }
  spec.nodeName = nodeName;
  const status = (next['status'] ??= {}) as { conditions?: { type: string }[] };
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: formatTime(clock.now()),
  };
  status.conditions = [...others, scheduled];
  return next;
}
