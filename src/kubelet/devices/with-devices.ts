import type { ContainerConfig } from '../cri/mod.ts';
import type { ContainerDevices } from './device-messages.ts';

/** The container with what its devices need; the pod's own settings win over the plugin's. */
export function withDevices(
  config: ContainerConfig,
  devices: ContainerDevices | undefined,
): ContainerConfig {
  if (devices === undefined) return config;
  const own = new Set(config.envs.map(({ key }) => key));
  const envs = Object.entries(devices.envs).filter(([key]) => !own.has(key));
  const mounts = devices.mounts.map(
    ({ containerPath, hostPath, readOnly }): ContainerConfig['mounts'][number] => ({
      containerPath,
      hostPath,
      readonly: readOnly,
      selinuxRelabel: false,
      propagation: 'PROPAGATION_PRIVATE',
    }),
  );
  return {
    ...config,
    envs: [...config.envs, ...envs.map(([key, value]) => ({ key, value }))],
    mounts: [...config.mounts, ...mounts],
    devices: [...config.devices, ...devices.devices],
    annotations: { ...devices.annotations, ...config.annotations },
    ...(devices.cdiDevices.length === 0 ? {} : { cdiDevices: [...devices.cdiDevices] }),
  };
}
