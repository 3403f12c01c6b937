import type { LifecycleHandler, Pod } from '#schema/types.ts';
import { runtimeAnnotations } from './names.ts';
import { containerNameOf } from './runtime-pod.ts';
import type { RuntimePod } from './runtime-pod.ts';

/** As much of a pod as its containers' annotations tell, enough to stop it properly. */
export function orphanPod(runtimePod: RuntimePod): Pod {
  const { uid, name, namespace, containers } = runtimePod;
  const names = [...new Set(containers.map(containerNameOf))];
  const annotation = (key: string): string | undefined =>
    containers.map(({ annotations }) => annotations[key]).find((value) => value !== undefined);
  const grace =
    annotation(runtimeAnnotations.podDeletionGracePeriod) ??
    annotation(runtimeAnnotations.podTerminationGracePeriod);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid },
    spec: {
      containers: names.map((containerName) => {
        const status = containers.find((one) => containerNameOf(one) === containerName);
        const preStop = status?.annotations[runtimeAnnotations.preStopHandler];
        const handler = preStop === undefined ? undefined : parseHandler(preStop);
        return {
          name: containerName,
          ...(handler === undefined ? {} : { lifecycle: { preStop: handler } }),
        };
      }),
      ...(grace === undefined ? {} : { terminationGracePeriodSeconds: Number(grace) }),
    },
  };
}

function parseHandler(text: string): LifecycleHandler | undefined {
  try {
    return JSON.parse(text) as LifecycleHandler;
  } catch {
    return undefined;
  }
}
