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

/** Plugins of devices. */
export function deviceMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
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
