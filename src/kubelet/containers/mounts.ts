import { isAbsolute } from 'node:path';
import type { VolumeMount } from '#schema/types.ts';
import type { Mount, MountPropagation, UserNamespace } from '../cri/mod.ts';
import type { AnyContainer } from '../pods/names.ts';
import type { MountedVolumes, VolumeManager } from '../volume-host.ts';
import { ContainerConfigError } from './config-error.ts';
import { expandVariables } from './expand.ts';

export interface MountOptions {
  readonly podUid: string;
  readonly container: AnyContainer;
  readonly mounted: MountedVolumes;
  readonly volumes: Pick<VolumeManager, 'prepareSubPath'>;
  readonly environment: ReadonlyMap<string, string>;
  /** Whose users the files of volumes appear to belong to, when the pod has users of its own. */
  readonly userNamespace?: UserNamespace | undefined;
  /** Path on the machine of the managed hosts file; undefined: none is mounted. */
  readonly hostsPath: string | undefined;
  /** Path on the machine of the termination log. */
  readonly terminationLogPath: string | undefined;
  /** The runtime makes everything below a mount read-only when asked to. */
  readonly canRecursiveReadOnly?: boolean | undefined;
}

const propagations: Readonly<Record<string, MountPropagation>> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

/** Volume mounts in spec order, then /etc/hosts and the termination log. */
export async function containerMounts(options: MountOptions): Promise<Mount[]> {
  const { container, hostsPath, terminationLogPath } = options;
  const volumeMounts = container.volumeMounts ?? [];
  const mounts: Mount[] = [];
  for (const [index, mount] of volumeMounts.entries()) {
    mounts.push(await volumeMount(mount, index, options));
  }
  const isHostsMounted = mounts.some(({ containerPath }) => containerPath === '/etc/hosts');
  if (hostsPath !== undefined && !isHostsMounted) {
    mounts.push({ containerPath: '/etc/hosts', hostPath: hostsPath });
  }
  const messagePath = container.terminationMessagePath ?? '';
  if (terminationLogPath !== undefined && messagePath !== '') {
    mounts.push({ containerPath: messagePath, hostPath: terminationLogPath });
  }
  return mounts;
}

async function volumeMount(
  mount: VolumeMount,
  mountIndex: number,
  options: MountOptions,
): Promise<Mount> {
  const { container, podUid, mounted, volumes, userNamespace } = options;
  const volume = mounted.get(mount.name);
  if (volume === undefined) {
    throw new ContainerConfigError(
      `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
    );
  }
  const isReadOnly = mount.readOnly === true || volume.isReadOnly === true;
  const subPath = subPathOf(mount, options.environment);
  const hostPath =
    subPath === ''
      ? volume.hostPath
      : await volumes.prepareSubPath({
          podUid,
          containerName: container.name,
          mountIndex,
          volumeName: mount.name,
          volume,
          subPath,
          isReadOnly,
        });
  return {
    hostPath,
    containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : `/${mount.mountPath}`,
    readonly: isReadOnly,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
    recursiveReadOnly: isRecursiveReadOnly(mount, options.canRecursiveReadOnly === true),
    ...(userNamespace === undefined
      ? {}
      : { uidMappings: userNamespace.uids, gidMappings: userNamespace.gids }),
  };
}

/** Throws for a mount that insists on what cannot be, with upstream's texts. */
function isRecursiveReadOnly(mount: VolumeMount, isPossible: boolean): boolean {
  const { name, readOnly = false, recursiveReadOnly = 'Disabled' } = mount;
  const { mountPropagation = 'None' } = mount;
  if (recursiveReadOnly === 'Disabled') return false;
  const fail = (why: string): never => {
    const text = `volume "${name}" requested recursive read-only mode, but it is not ${why}`;
    throw new ContainerConfigError(`failed to resolve recursive read-only mode: ${text}`);
  };
  if (!readOnly) return fail('read-only');
  if (mountPropagation !== 'None') {
    return fail(`compatible with propagation "${mountPropagation}"`);
  }
  if (recursiveReadOnly === 'Enabled' && !isPossible) return fail('supported by the runtime');
  return isPossible;
}

/** The relative path within the volume, checked; empty for the volume's root. */
function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  const { subPathExpr = '' } = mount;
  let subPath = mount.subPath ?? '';
  if (subPathExpr !== '') {
    let missing: string | undefined;
    subPath = expandVariables(subPathExpr, (name) => {
      const value = environment.get(name);
      if (value === undefined) missing ??= name;
      return value;
    });
    if (missing !== undefined) {
      throw new ContainerConfigError(`missing value for "${missing}"`);
    }
  }
  if (isAbsolute(subPath)) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new ContainerConfigError(
      `unable to provision SubPath \`${subPath}\`: must not contain '..'`,
    );
  }
  return subPath;
}
