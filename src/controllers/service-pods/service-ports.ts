import type { Pod, ServicePort } from '#schema/types.ts';

/**
 * The port on a pod that a service port leads to: the number, or the container port of that name
 * and protocol (restartable init containers included). Undefined when the pod has no such port.
 */
export function targetPortOn(pod: Pod, port: ServicePort): number | undefined {
  const { targetPort, protocol = 'TCP' } = port;
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port.port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (pod.spec?.initContainers ?? []).filter(
    (container) => container.restartPolicy === 'Always',
  );
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find(
      (candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol,
    );
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** A service port as it is on a pod. */
export interface PodPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol: string | undefined;
}

/** All service ports that the pod has, in the order of the service. */
export function podPorts(pod: Pod, ports: readonly ServicePort[]): PodPort[] {
  return ports.flatMap((servicePort) => {
    const port = targetPortOn(pod, servicePort);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, port, protocol, appProtocol }];
  });
}
