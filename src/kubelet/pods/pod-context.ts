import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import type { ContainerConfigContext } from '../containers/container-config.ts';
import type { CpuManager } from '../cpus/mod.ts';
import type { MemoryManager } from '../memory/mod.ts';
import type { TopologyManager } from '../topology/mod.ts';
import type { RuntimeService } from '../cri/mod.ts';
import type { DevicePlugins } from '../devices/device-plugins.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { HostPaths, KubeletConfig } from '../kubelet-config.ts';
import type { ProbeRegistry } from '../probes/probe-registry.ts';
import type { PodResizes } from '../resize/pod-resizes.ts';
import type { HostFiles, PodCgroups, VolumeManager } from '../volume-host.ts';
import type { KeyedBackOff } from './crash-back-off.ts';
import type { Pleg } from './pleg.ts';
import type { PodEvents } from './pod-events.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import type { UserNamespaces } from './user-namespaces.ts';

/** What the steps of a pod's life work with; one for the whole kubelet. */
export interface PodContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly runtime: RuntimeService;
  readonly cache: RuntimeCache;
  readonly pleg: Pick<Pleg, 'expectChange' | 'relist'>;
  readonly events: PodEvents;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly hostFiles: HostFiles;
  readonly hostPaths: HostPaths;
  readonly config: KubeletConfig;
  readonly seccompRoot: string;
  readonly probes: ProbeRegistry;
  readonly puller: ImagePuller;
  readonly crashBackOff: KeyedBackOff;
  readonly resizes: PodResizes;
  readonly userNamespaces: UserNamespaces;
  readonly devices: Pick<DevicePlugins, 'prepare'>;
  readonly cpus?: Pick<CpuManager, 'cpusetOf'> | undefined;
  readonly memory?: Pick<MemoryManager, 'nodesOf'> | undefined;
  /** Gives pods what they have for themselves. */
  readonly topology: Pick<TopologyManager, 'admit'>;
  readonly containers: ContainerConfigContext;
  readonly hostIps: () => readonly string[];
  /** The runtime's handler for the pod's RuntimeClass; throws when there is no such class. */
  readonly runtimeHandler: (pod: Pod) => Promise<string>;
  /** Why the runtime's network is not ready; undefined when it is. */
  readonly networkProblem: () => string | undefined;
}
