import type { PersistentVolumeSpec, Volume } from '#schema/types.ts';

const names: Readonly<Record<string, string>> = {
  emptyDir: 'empty-dir',
  configMap: 'configmap',
  secret: 'secret',
  downwardAPI: 'downward-api',
  projected: 'projected',
  hostPath: 'host-path',
  local: 'local-volume',
};

/** Upstream's name of the plugin of a volume, for metrics; undefined for claims and unknown ones. */
export function pluginName(volume: Volume | PersistentVolumeSpec): string | undefined {
  if (volume.csi !== undefined) return `kubernetes.io/csi:${volume.csi.driver}`;
  const field = Object.keys(volume).find((key) => Object.hasOwn(names, key));
  return field === undefined ? undefined : `kubernetes.io/${names[field]}`;
}
