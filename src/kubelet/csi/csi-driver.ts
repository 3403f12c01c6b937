import type { Clock } from '#base/clock.ts';
import { createUnaryChannel } from '../plugins/unary-channel.ts';
import { csiTables } from './csi-messages.ts';
import type {
  ExpandRequest,
  NodeCapability,
  NodeInfo,
  PublishRequest,
  StageRequest,
  VolumeUsage,
} from './csi-messages.ts';

/** The node service of a CSI driver. Calls fail with the driver's own text after 2 min at most. */
export interface CsiDriver {
  nodeInfo(signal?: AbortSignal): Promise<NodeInfo>;
  /** Asked once, as they do not change while the driver runs. */
  capabilities(): Promise<ReadonlySet<NodeCapability>>;
  stage(request: StageRequest, signal?: AbortSignal): Promise<void>;
  unstage(volumeId: string, stagingTargetPath: string): Promise<void>;
  publish(request: PublishRequest, signal?: AbortSignal): Promise<void>;
  unpublish(volumeId: string, targetPath: string): Promise<void>;
  expand(request: ExpandRequest, signal?: AbortSignal): Promise<number>;
  usage(volumeId: string, volumePath: string, stagingTargetPath: string): Promise<VolumeUsage[]>;
  close(): void;
}

/** As upstream. */
const timeoutMs = 120_000;

export function createCsiDriver(options: { socketPath: string; clock: Clock }): CsiDriver {
  const channel = createUnaryChannel({ ...options, tables: csiTables, timeoutMs });
  const node = <T extends object>(
    method: string,
    types: readonly [string, string],
    request: object,
    signal?: AbortSignal,
  ): Promise<T> => channel.call<T>({ path: `/csi.v1.Node/${method}`, types, request, signal });
  let known: Promise<ReadonlySet<NodeCapability>> | undefined;

  const askCapabilities = async (): Promise<ReadonlySet<NodeCapability>> => {
    const types = ['Empty', 'NodeGetCapabilitiesResponse'] as const;
    const { capabilities } = await node<{
      capabilities: { rpc?: { type: NodeCapability } }[];
    }>('NodeGetCapabilities', types, {});
    return new Set(capabilities.flatMap(({ rpc }) => (rpc === undefined ? [] : [rpc.type])));
  };

  return {
    nodeInfo: (signal) => node('NodeGetInfo', ['Empty', 'NodeGetInfoResponse'], {}, signal),
    async capabilities() {
      known ??= askCapabilities();
      try {
        return await known;
      } catch (error) {
        known = undefined;
        throw error;
      }
    },
    async stage(request, signal) {
      await node('NodeStageVolume', ['NodeStageVolumeRequest', 'Empty'], request, signal);
    },
    async unstage(volumeId, stagingTargetPath) {
      const request = { volumeId, stagingTargetPath };
      await node('NodeUnstageVolume', ['NodeUnstageVolumeRequest', 'Empty'], request);
    },
    async publish(request, signal) {
      await node('NodePublishVolume', ['NodePublishVolumeRequest', 'Empty'], request, signal);
    },
    async unpublish(volumeId, targetPath) {
      const request = { volumeId, targetPath };
      await node('NodeUnpublishVolume', ['NodeUnpublishVolumeRequest', 'Empty'], request);
    },
    async expand(request, signal) {
      const types = ['NodeExpandVolumeRequest', 'NodeExpandVolumeResponse'] as const;
      const answer = await node<{ capacityBytes: number }>(
        'NodeExpandVolume',
        types,
        request,
        signal,
      );
      return answer.capacityBytes;
    },
    async usage(volumeId, volumePath, stagingTargetPath) {
      const types = ['NodeGetVolumeStatsRequest', 'NodeGetVolumeStatsResponse'] as const;
      const request = { volumeId, volumePath, stagingTargetPath };
      return (await node<{ usage: VolumeUsage[] }>('NodeGetVolumeStats', types, request)).usage;
    },
    close: () => channel.close(),
  };
}
