import type { MessageTables } from '../cri/message-codec.ts';

/** The device plugin API v1beta1, both directions. */
export const deviceTables: MessageTables = {
  messageFields: {
    Empty: '',
    Options: '1 pre_start_required bool, 2 get_preferred_allocation_available bool',
    RegisterRequest:
      '1 version string, 2 endpoint string, 3 resource_name string, 4 options Options',
    ListAndWatchResponse: '1 devices Device[]',
    Device: '1 id string, 2 health string, 3 topology Topology',
    Topology: '1 nodes NumaNode[]',
    NumaNode: '1 id int64',
    PreStartRequest: '1 devices_ids string[]',
    PreferredRequest: '1 container_requests ContainerPreferredRequest[]',
    ContainerPreferredRequest:
      '1 available_device_ids string[], 2 must_include_device_ids string[], 3 allocation_size int32',
    PreferredResponse: '1 container_responses ContainerPreferredResponse[]',
    ContainerPreferredResponse: '1 device_ids string[]',
    AllocateRequest: '1 container_requests ContainerAllocateRequest[]',
    ContainerAllocateRequest: '1 devices_ids string[]',
    AllocateResponse: '1 container_responses ContainerAllocateResponse[]',
    ContainerAllocateResponse:
      '1 envs string{}, 2 mounts Mount[], 3 devices DeviceSpec[], 4 annotations string{}, 5 cdi_devices CdiDevice[]',
    Mount: '1 container_path string, 2 host_path string, 3 read_only bool',
    DeviceSpec: '1 container_path string, 2 host_path string, 3 permissions string',
    CdiDevice: '1 name string',
  },
  enumValues: {},
};

export interface RegisterRequest {
  readonly version: string;
  /** Name of the plugin's socket in the directory of device plugins. */
  readonly endpoint: string;
  readonly resourceName: string;
  readonly options?: PluginOptions | undefined;
}

export interface PluginOptions {
  readonly preStartRequired: boolean;
  readonly getPreferredAllocationAvailable: boolean;
}

export interface PluginDevice {
  readonly id: string;
  /** `Healthy` or `Unhealthy`. */
  readonly health: string;
  readonly topology?: { readonly nodes: readonly { readonly id: number }[] } | undefined;
}

/** What a plugin wants in the container that gets its devices. */
export interface ContainerDevices {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly { containerPath: string; hostPath: string; readOnly: boolean }[];
  readonly devices: readonly { containerPath: string; hostPath: string; permissions: string }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly cdiDevices: readonly { name: string }[];
}
