import type { MakeCounter, MakeHistogram } from './kubelet-metrics.ts';

const storage = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];

/** Volumes, images and cgroups: what pods need of the machine. */
export function storageMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    storageOperations: histogram(
      'storage_operation_duration_seconds',
      'Seconds that operations on volumes took.',
      ['migrated', 'operation_name', 'status', 'volume_plugin'],
      storage,
    ),
    cgroupDuration: histogram(
      'kubelet_cgroup_manager_duration_seconds',
      'Seconds that changes of the cgroups of pods took.',
      ['operation_type'],
    ),
    imageVolumes: counter('kubelet_image_volume_requested_total', 'Volumes from images asked for.'),
    mountedImageVolumes: counter(
      'kubelet_image_volume_mounted_succeed_total',
      'Volumes from images that were mounted.',
    ),
    imageVolumeErrors: counter(
      'kubelet_image_volume_mounted_errors_total',
      'Volumes from images that could not be mounted.',
    ),
  };
}

/** Plugins of devices, and who asks which container has what. */
export function deviceMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  const endpoint = (what: string) =>
    counter(`kubelet_pod_resources_endpoint_${what}`, 'Calls of the pod resources API.', [
      'server_api_version',
    ]);
  return {
    podResources: {
      all: endpoint('requests_total'),
      requests: {
        List: endpoint('requests_list'),
        Get: endpoint('requests_get'),
        GetAllocatableResources: endpoint('requests_get_allocatable'),
      },
      errors: {
        List: endpoint('errors_list'),
        Get: endpoint('errors_get'),
        GetAllocatableResources: endpoint('errors_get_allocatable'),
      },
    },
    deviceRegistrations: counter(
      'kubelet_device_plugin_registration_total',
      'Registrations of device plugins.',
      ['resource_name'],
    ),
    deviceAllocation: histogram(
      'kubelet_device_plugin_alloc_duration_seconds',
      'Seconds that plugins took to prepare devices.',
      ['resource_name'],
    ),
  };
}
