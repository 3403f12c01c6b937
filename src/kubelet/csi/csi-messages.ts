import type { MessageTables } from '../cri/message-codec.ts';

/** What the kubelet says to CSI drivers (csi.v1), numbers as in the public csi.proto. */
export const csiTables: MessageTables = {
  messageFields: {
    Empty: '',
    GetPluginInfoResponse: '1 name string, 2 vendor_version string, 3 manifest string{}',
    ProbeResponse: '1 ready BoolValue',
    BoolValue: '1 value bool',
    VolumeCapability:
      '1 block Empty, 2 mount VolumeCapability.Mount, 3 access_mode VolumeCapability.AccessMode',
    'VolumeCapability.Mount':
      '1 fs_type string, 2 mount_flags string[], 3 volume_mount_group string',
    'VolumeCapability.AccessMode': '1 mode #AccessMode',
    CapacityRange: '1 required_bytes int64, 2 limit_bytes int64',
    Topology: '1 segments string{}',
    NodeGetInfoResponse:
      '1 node_id string, 2 max_volumes_per_node int64, 3 accessible_topology Topology',
    NodeGetCapabilitiesResponse: '1 capabilities NodeServiceCapability[]',
    NodeServiceCapability: '1 rpc NodeServiceCapability.Rpc',
    'NodeServiceCapability.Rpc': '1 type #NodeCapability',
    NodeStageVolumeRequest:
      '1 volume_id string, 2 publish_context string{}, 3 staging_target_path string, 4 volume_capability VolumeCapability, 5 secrets string{}, 6 volume_context string{}',
    NodeUnstageVolumeRequest: '1 volume_id string, 2 staging_target_path string',
    NodePublishVolumeRequest:
      '1 volume_id string, 2 publish_context string{}, 3 staging_target_path string, 4 target_path string, 5 volume_capability VolumeCapability, 6 readonly bool, 7 secrets string{}, 8 volume_context string{}',
    NodeUnpublishVolumeRequest: '1 volume_id string, 2 target_path string',
    NodeGetVolumeStatsRequest:
      '1 volume_id string, 2 volume_path string, 3 staging_target_path string',
    NodeGetVolumeStatsResponse: '1 usage VolumeUsage[], 2 volume_condition VolumeCondition',
    VolumeUsage: '1 available int64, 2 total int64, 3 used int64, 4 unit #VolumeUsage.Unit',
    VolumeCondition: '1 abnormal bool, 2 message string',
    NodeExpandVolumeRequest:
      '1 volume_id string, 2 volume_path string, 3 capacity_range CapacityRange, 4 staging_target_path string, 5 volume_capability VolumeCapability, 6 secrets string{}',
    NodeExpandVolumeResponse: '1 capacity_bytes int64',
  },
  enumValues: {
    AccessMode: {
      UNKNOWN: 0,
      SINGLE_NODE_WRITER: 1,
      SINGLE_NODE_READER_ONLY: 2,
      MULTI_NODE_READER_ONLY: 3,
      MULTI_NODE_SINGLE_WRITER: 4,
      MULTI_NODE_MULTI_WRITER: 5,
      SINGLE_NODE_SINGLE_WRITER: 6,
      SINGLE_NODE_MULTI_WRITER: 7,
    },
    NodeCapability: {
      UNKNOWN: 0,
      STAGE_UNSTAGE_VOLUME: 1,
      GET_VOLUME_STATS: 2,
      EXPAND_VOLUME: 3,
      VOLUME_CONDITION: 4,
      SINGLE_NODE_MULTI_WRITER: 5,
      VOLUME_MOUNT_GROUP: 6,
    },
    'VolumeUsage.Unit': { UNKNOWN: 0, BYTES: 1, INODES: 2 },
  },
};

export type AccessMode =
  | 'SINGLE_NODE_WRITER'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_MULTI_WRITER'
  | 'SINGLE_NODE_SINGLE_WRITER'
  | 'SINGLE_NODE_MULTI_WRITER';

export type NodeCapability =
  | 'STAGE_UNSTAGE_VOLUME'
  | 'GET_VOLUME_STATS'
  | 'EXPAND_VOLUME'
  | 'VOLUME_CONDITION'
  | 'SINGLE_NODE_MULTI_WRITER'
  | 'VOLUME_MOUNT_GROUP';

type Texts = Readonly<Record<string, string>>;

export interface VolumeCapability {
  readonly block?: object | undefined;
  readonly mount?:
    | { fsType: string; mountFlags: readonly string[]; volumeMountGroup: string }
    | undefined;
  readonly accessMode: { mode: AccessMode };
}

export interface StageRequest {
  readonly volumeId: string;
  readonly publishContext: Texts;
  readonly stagingTargetPath: string;
  readonly volumeCapability: VolumeCapability;
  readonly secrets: Texts;
  readonly volumeContext: Texts;
}

export interface PublishRequest extends StageRequest {
  readonly targetPath: string;
  readonly readonly: boolean;
}

export interface ExpandRequest {
  readonly volumeId: string;
  readonly volumePath: string;
  readonly stagingTargetPath: string;
  readonly capacityRange: { requiredBytes: number };
  readonly volumeCapability: VolumeCapability;
  readonly secrets: Texts;
}

export interface VolumeUsage {
  readonly available: number;
  readonly total: number;
  readonly used: number;
  readonly unit: 'UNKNOWN' | 'BYTES' | 'INODES';
}

export interface NodeInfo {
  readonly nodeId: string;
  /** 0: no limit is known. */
  readonly maxVolumesPerNode: number;
  readonly accessibleTopology?: { readonly segments: Texts } | undefined;
}
