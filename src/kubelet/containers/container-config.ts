import type { Pod, Service } from '#schema/types.ts';
import type { ContainerConfig, Image, UserNamespace } from '../cri/mod.ts';
import { namespaceOf, runtimeAnnotations, runtimeLabels, specOf, uidOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { HostFiles, MountedVolumes, VolumeManager } from '../volume-host.ts';
import { containerEnvironment } from './environment.ts';
import type { ObjectReader } from './environment.ts';
import { expandVariables } from './expand.ts';
import { linuxResources } from './linux-resources.ts';
import type { LinuxResourcesContext } from './linux-resources.ts';
import { containerMounts } from './mounts.ts';
import { containerSecurityContext } from './security.ts';
import { containerHash } from './spec-hash.ts';

/** What does not change between the containers of one node. */
export interface ContainerConfigContext extends LinuxResourcesContext {
  readonly objects: ObjectReader;
  readonly volumes: Pick<VolumeManager, 'prepareSubPath'>;
  readonly hostFiles: Pick<HostFiles, 'createTerminationLog'>;
  readonly services: () => readonly Service[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly newId: () => string;
  readonly seccompRoot: string;
  readonly isSeccompDefault: boolean;
  /** Whether the runtime handler of the pod knows recursive read-only mounts. */
  readonly hasRecursiveReadOnly?: ((pod: Pod) => boolean) | undefined;
}

export interface ContainerConfigRequest {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly attempt: number;
  readonly imageRef: string;
  readonly image: Image | undefined;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly mounted: MountedVolumes;
  readonly hostsPath: string | undefined;
  readonly userNamespace?: UserNamespace | undefined;
  /** Runtime id of an ephemeral container's target. */
  readonly targetId?: string | undefined;
}

/** Describes a container to the runtime; throws ContainerConfigError for what users got wrong. */
export async function containerConfig(
  request: ContainerConfigRequest,
  context: ContainerConfigContext,
): Promise<ContainerConfig> {
  const { pod, container, attempt } = request;
  const securityContext = containerSecurityContext({ ...request, ...context });
  const environment = await containerEnvironment({
    ...request,
    services: context.services(),
    objects: context.objects,
    allocatable: context.allocatable(),
  });
  const expand = (text: string): string => expandVariables(text, (name) => environment.get(name));
  const hasMessagePath = (container.terminationMessagePath ?? '') !== '';
  const terminationLogPath = hasMessagePath
    ? await context.hostFiles.createTerminationLog(uidOf(pod), container.name, context.newId())
    : undefined;
  const mounts = await containerMounts({
    ...request,
    podUid: uidOf(pod),
    volumes: context.volumes,
    environment,
    terminationLogPath,
    canRecursiveReadOnly: context.hasRecursiveReadOnly?.(pod),
  });
  return {
    metadata: { name: container.name, attempt },
    image: { image: request.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map(expand),
    args: (container.args ?? []).map(expand),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts,
    devices: blockDevices(request),
    labels: containerLabels(pod, container.name),
    annotations: containerAnnotations(pod, container, attempt),
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: { resources: linuxResources({ ...request, ...context }), securityContext },
  };
}

function blockDevices({ container, mounted }: ContainerConfigRequest): ContainerConfig['devices'] {
  return (container.volumeDevices ?? []).flatMap(({ name, devicePath }) => {
    const volume = mounted.get(name);
    if (volume === undefined) return [];
    const permissions = volume.isReadOnly === true ? 'r' : 'mrw';
    return [{ containerPath: devicePath, hostPath: volume.hostPath, permissions }];
  });
}

function containerLabels(pod: Pod, name: string): Record<string, string> {
  return {
    [runtimeLabels.podName]: pod.metadata.name,
    [runtimeLabels.podNamespace]: namespaceOf(pod),
    [runtimeLabels.podUid]: uidOf(pod),
    [runtimeLabels.containerName]: name,
  };
}

function containerAnnotations(
  pod: Pod,
  container: AnyContainer,
  attempt: number,
): Record<string, string> {
  const keys = runtimeAnnotations;
  const annotations: Record<string, string> = {
    [keys.hash]: containerHash(container),
    [keys.restartCount]: String(attempt),
    [keys.terminationMessagePath]: container.terminationMessagePath ?? '',
    [keys.terminationMessagePolicy]: container.terminationMessagePolicy ?? '',
  };
  const { requests, limits } = container.resources ?? {};
  annotations[keys.resources] = JSON.stringify({ requests, limits });
  const preStop = container.lifecycle?.preStop;
  const { terminationGracePeriodSeconds } = specOf(pod);
  const { deletionGracePeriodSeconds } = pod.metadata;
  if (preStop !== undefined) annotations[keys.preStopHandler] = JSON.stringify(preStop);
  if ((container.ports ?? []).length > 0) annotations[keys.ports] = JSON.stringify(container.ports);
  if (deletionGracePeriodSeconds !== undefined) {
    annotations[keys.podDeletionGracePeriod] = String(deletionGracePeriodSeconds);
  }
  if (terminationGracePeriodSeconds !== undefined) {
    annotations[keys.podTerminationGracePeriod] = String(terminationGracePeriodSeconds);
  }
  return annotations;
}
