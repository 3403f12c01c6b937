import type { SecurityContext, Volume } from '#schema/types.ts';

import { findAnyProcMount } from './baseline-checks.ts';
import { containersWith, named, quoted } from './pod-security-checks.ts';
import type { CheckedPod, Finding, PodSecurityCheck } from './pod-security-checks.ts';

const allowedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

const isWindows = (pod: CheckedPod): boolean => pod.spec.os?.name === 'windows';
const hasOwnUsers = (pod: CheckedPod, minor: number): boolean =>
  minor >= 35 && pod.spec.hostUsers === false;

/** What hardening asks for on top of the baseline; in order of id. */
export const restrictedChecks: readonly PodSecurityCheck[] = [
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    from: 8,
    find(pod, minor) {
      if (minor >= 25 && isWindows(pod)) return undefined;
      const names = containersWith(pod, (context) => context?.allowPrivilegeEscalation !== false);
      if (names.length === 0) return undefined;
      const detail = `${named('container', names)} must set securityContext.allowPrivilegeEscalation=false`;
      return { reason: 'allowPrivilegeEscalation != false', detail };
    },
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    from: 22,
    replaces: 'capabilities_baseline',
    find: findCapabilities,
  },
  {
    id: 'procMount_restricted',
    level: 'restricted',
    from: 35,
    replaces: 'procMount',
    find: findAnyProcMount,
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    replaces: 'hostPathVolumes',
    find: findVolumes,
  },
  { id: 'runAsNonRoot', level: 'restricted', find: findRoot },
  { id: 'runAsUser', level: 'restricted', from: 23, find: findRootUser },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    from: 19,
    replaces: 'seccompProfile_baseline',
    find: findSeccomp,
  },
];

function findCapabilities(pod: CheckedPod, minor: number): Finding | undefined {
  if (minor >= 25 && isWindows(pod)) return undefined;
  const kept = containersWith(
    pod,
    (context) => !(context?.capabilities?.drop ?? []).includes('ALL'),
  );
  const added = new Set<string>();
  const adding = containersWith(pod, (context) => {
    const bad = (context?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
    for (const name of bad) added.add(name);
    return bad.length > 0;
  });
  const details: string[] = [];
  if (kept.length > 0) {
    details.push(`${named('container', kept)} must set securityContext.capabilities.drop=["ALL"]`);
  }
  if (adding.length > 0) {
    details.push(
      `${named('container', adding)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`,
    );
  }
  if (details.length === 0) return undefined;
  return { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

function findVolumes(pod: CheckedPod): Finding | undefined {
  const types = new Set<string>();
  const names: string[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    const type = volumeType(volume);
    if (allowedVolumes.has(type)) continue;
    types.add(type);
    names.push(volume.name);
  }
  if (names.length === 0) return undefined;
  const verb = names.length === 1 ? 'uses' : 'use';
  const detail = `${named('volume', names)} ${verb} restricted volume type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`;
  return { reason: 'restricted volume types', detail };
}

function volumeType(volume: Volume): string {
  const key = Object.entries(volume).find(
    ([name, value]) => name !== 'name' && value !== undefined,
  );
  return key?.[0] ?? 'unknown';
}

function findRoot(pod: CheckedPod, minor: number): Finding | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const ofPod = pod.spec.securityContext?.runAsNonRoot;
  const reason = 'runAsNonRoot != true';
  const explicit = containersWith(pod, (context) => context?.runAsNonRoot === false);
  const unset = containersWith(pod, (context) => context?.runAsNonRoot === undefined);
  const who = [
    ...(ofPod === false ? ['pod'] : []),
    ...(explicit.length > 0 ? [named('container', explicit)] : []),
  ];
  // A pod that says false is fine as long as every container says true.
  const isPodOnly = ofPod === false && explicit.length === 0 && unset.length === 0;
  if (who.length > 0 && !isPodOnly) {
    const detail = `${who.join(' and ')} must not set securityContext.runAsNonRoot=false`;
    return { reason, detail };
  }
  if (ofPod === undefined && unset.length > 0) {
    const detail = `pod or ${named('container', unset)} must set securityContext.runAsNonRoot=true`;
    return { reason, detail };
  }
  return undefined;
}

function findRootUser(pod: CheckedPod, minor: number): Finding | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const names = containersWith(pod, (context) => context?.runAsUser === 0);
  const who = [
    ...(pod.spec.securityContext?.runAsUser === 0 ? ['pod'] : []),
    ...(names.length > 0 ? [named('container', names)] : []),
  ];
  if (who.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${who.join(' and ')} must not set runAsUser=0` };
}

function findSeccomp(pod: CheckedPod, minor: number): Finding | undefined {
  if (minor >= 25 && isWindows(pod)) return undefined;
  const typeOf = (context: Pick<SecurityContext, 'seccompProfile'> | undefined) =>
    context?.seccompProfile?.type;
  const isGood = (type: string | undefined): boolean =>
    type === 'RuntimeDefault' || type === 'Localhost';
  const ofPod = typeOf(pod.spec.securityContext);
  const bad = containersWith(pod, (context) => {
    const type = typeOf(context);
    return type !== undefined && !isGood(type);
  });
  const unset = containersWith(pod, (context) => typeOf(context) === undefined);
  const reason = 'seccompProfile';
  const isPodBad = ofPod !== undefined && !isGood(ofPod);
  if (bad.length > 0 || (isPodBad && unset.length > 0)) {
    const who = [
      ...(isPodBad ? ['pod'] : []),
      ...(bad.length > 0 ? [named('container', bad)] : []),
    ];
    const detail = `${who.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`;
    return { reason, detail };
  }
  if (ofPod === undefined && unset.length > 0) {
    const detail = `pod or ${named('container', unset)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
    return { reason, detail };
  }
  return undefined;
}
