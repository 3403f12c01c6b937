import type { Pod, Service } from '#schema/types.ts';
import { podCondition } from '../pods/pod-state.ts';

interface Known {
  readonly serviceMs: number;
  readonly podMs: ReadonlyMap<string, number>;
}

/**
 * Finds out when the change happened that endpoints are written for: the earliest of what changed
 * since the last call. That is when a pod became ready or unready, or when the service was made.
 * Not safe for two calls of one key at a time, which a work queue sees to.
 */
export interface TriggerTimes {
  /** RFC 3339; undefined when nothing that has a time has changed. */
  next(key: string, service: Service, pods: readonly Pod[]): string | undefined;
  forget(key: string): void;
}

export function createTriggerTimes(): TriggerTimes {
  const known = new Map<string, Known>();
  return {
    next(key, service, pods) {
      const before = known.get(key);
      const serviceMs = timeOf(service.metadata.creationTimestamp) ?? 0;
      const podMs = new Map<string, number>();
      const changed: number[] = [];
      for (const pod of pods) {
        const atMs = timeOf(podCondition(pod, 'Ready')?.lastTransitionTime);
        if (atMs === undefined) continue;
        podMs.set(pod.metadata.name, atMs);
        if (atMs > (before?.podMs.get(pod.metadata.name) ?? 0)) changed.push(atMs);
      }
      known.set(key, { serviceMs, podMs });
      if (before === undefined) return serviceMs === 0 ? undefined : formatted(serviceMs);
      if (serviceMs > before.serviceMs) changed.push(serviceMs);
      return changed.length === 0 ? undefined : formatted(Math.min(...changed));
    },
    forget: (key) => void known.delete(key),
  };
}

function timeOf(text: string | undefined): number | undefined {
  const atMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** As Go prints nanoseconds: without a fraction of zero. */
function formatted(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.?0*Z$/, 'Z');
}
