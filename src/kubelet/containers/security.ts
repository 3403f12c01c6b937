import type { Pod, SeccompProfile, SELinuxOptions } from '#schema/types.ts';
import type {
  Image,
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceOption,
  SecurityProfile,
  SelinuxOption,
  UserNamespace,
} from '../cri/mod.ts';
import { podText, specOf } from '../pods/names.ts';
import type { AnyContainer } from '../pods/names.ts';
import { ContainerConfigError } from './config-error.ts';

/** Paths hidden from containers with procMount Default, as upstream's list. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Which namespaces of the host, the pod or (ephemeral containers) another container are used. */
export function namespaceOptions(
  pod: Pod,
  more: { containerId?: string | undefined; userNamespace?: UserNamespace | undefined } = {},
): NamespaceOption {
  const spec = specOf(pod);
  const ownPid = spec.shareProcessNamespace === true ? 'POD' : 'CONTAINER';
  const options: NamespaceOption = {
    network: spec.hostNetwork === true ? 'NODE' : 'POD',
    ipc: spec.hostIPC === true ? 'NODE' : 'POD',
    pid: spec.hostPID === true ? 'NODE' : ownPid,
    ...(more.userNamespace === undefined ? {} : { usernsOptions: more.userNamespace }),
  };
  if (more.containerId !== undefined) {
    return { ...options, pid: 'TARGET', targetId: more.containerId };
  }
  return options;
}

export function seccompProfile(
  profile: SeccompProfile | undefined,
  options: { seccompRoot: string; isDefaultRuntime: boolean },
): SecurityProfile {
  if (profile === undefined) {
    return { profileType: options.isDefaultRuntime ? 'RuntimeDefault' : 'Unconfined' };
  }
  if (profile.type === 'Localhost') {
    const localhostRef = `${options.seccompRoot}/${profile.localhostProfile ?? ''}`;
    return { profileType: 'Localhost', localhostRef };
  }
  return { profileType: profile.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined' };
}

export function selinuxOption(options: SELinuxOptions | undefined): SelinuxOption | undefined {
  if (options === undefined) return undefined;
  const { user = '', role = '', type = '', level = '' } = options;
  return { user, role, type, level };
}

export interface SecurityOptions {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly image: Image | undefined;
  readonly seccompRoot: string;
  readonly isSeccompDefault: boolean;
  /** The container whose processes an ephemeral container sees. */
  readonly targetId?: string | undefined;
  readonly userNamespace?: UserNamespace | undefined;
  /** Groups that volumes bring in. */
  readonly extraGroups?: readonly number[] | undefined;
}

/** Throws ContainerConfigError when the container must not, but would, run as root. */
export function containerSecurityContext(options: SecurityOptions): LinuxContainerSecurityContext {
  const { pod, container, image } = options;
  const own = container.securityContext ?? {};
  const shared = specOf(pod).securityContext ?? {};
  checkNonRoot(options);
  const runAsUser = own.runAsUser ?? shared.runAsUser ?? image?.uid?.value;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const isPrivileged = own.privileged === true;
  const { capabilities } = own;
  const groups = [...(shared.supplementalGroups ?? []), ...(options.extraGroups ?? [])];
  if (shared.fsGroup !== undefined) groups.push(shared.fsGroup);
  const isMasked = own.procMount !== 'Unmasked' && !isPrivileged;
  return {
    namespaceOptions: namespaceOptions(pod, {
      containerId: options.targetId,
      userNamespace: options.userNamespace,
    }),
    privileged: isPrivileged,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    supplementalGroups: groups,
    supplementalGroupsPolicy: shared.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge',
    seccomp: isPrivileged
      ? { profileType: 'Unconfined' }
      : seccompProfile(own.seccompProfile ?? shared.seccompProfile, {
          seccompRoot: options.seccompRoot,
          isDefaultRuntime: options.isSeccompDefault,
        }),
    maskedPaths: isMasked ? maskedPaths : [],
    readonlyPaths: isMasked ? readonlyPaths : [],
    capabilities: {
      addCapabilities: capabilities?.add ?? [],
      dropCapabilities: capabilities?.drop ?? [],
    },
    ...userOf(runAsUser, image),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    ...apparmorOf(options),
    ...selinuxOf(own.seLinuxOptions ?? shared.seLinuxOptions),
  };
}

/** An image that names no user is one of root's: a group of its own needs a user beside it. */
function userOf(
  runAsUser: number | undefined,
  image: Image | undefined,
): Pick<LinuxContainerSecurityContext, 'runAsUser' | 'runAsUsername'> {
  if (runAsUser !== undefined) return { runAsUser: { value: runAsUser } };
  const username = image?.username ?? '';
  return username === '' ? { runAsUser: { value: 0 } } : { runAsUsername: username };
}

function selinuxOf(
  options: SELinuxOptions | undefined,
): Pick<LinuxContainerSecurityContext, 'selinuxOptions'> {
  const selinuxOptions = selinuxOption(options);
  return selinuxOptions === undefined ? {} : { selinuxOptions };
}

function apparmorOf({
  pod,
  container,
}: SecurityOptions): Pick<LinuxContainerSecurityContext, 'apparmor'> {
  const profile =
    container.securityContext?.appArmorProfile ?? specOf(pod).securityContext?.appArmorProfile;
  if (profile === undefined) return {};
  const localhostRef = profile.localhostProfile;
  return {
    apparmor: { profileType: profile.type as SecurityProfile['profileType'], localhostRef },
  };
}

function checkNonRoot({ pod, container, image }: SecurityOptions): void {
  const own = container.securityContext ?? {};
  const shared = specOf(pod).securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const where = `(pod: "${podText(pod)}", container: ${container.name})`;
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  const username = image?.username ?? '';
  if (image?.uid === undefined && username !== '') {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`,
    );
  }
  if ((image?.uid?.value ?? 0) === 0) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image will run as root ${where}`,
    );
  }
}

/** The security context of the sandbox: the pod's part only. */
export function sandboxSecurityContext(
  pod: Pod,
  userNamespace?: UserNamespace,
): LinuxSandboxSecurityContext {
  const shared = specOf(pod).securityContext ?? {};
  const selinuxOptions = selinuxOption(shared.seLinuxOptions);
  const groups = [...(shared.supplementalGroups ?? [])];
  if (shared.fsGroup !== undefined) groups.push(shared.fsGroup);
  const containers = [...(specOf(pod).initContainers ?? []), ...specOf(pod).containers];
  return {
    namespaceOptions: namespaceOptions(pod, { containerId: undefined, userNamespace }),
    privileged: containers.some(({ securityContext }) => securityContext?.privileged === true),
    supplementalGroups: groups,
    supplementalGroupsPolicy: shared.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge',
    // The pause process needs no more, whatever the pod's profile is.
    seccomp: { profileType: 'RuntimeDefault' },
    ...(shared.runAsUser === undefined ? {} : { runAsUser: { value: shared.runAsUser } }),
    ...(shared.runAsGroup === undefined ? {} : { runAsGroup: { value: shared.runAsGroup } }),
    ...(selinuxOptions === undefined ? {} : { selinuxOptions }),
  };
}
