import type {
  EndpointSlice,
  Ingress,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Service,
  StorageClass,
} from '#schema/types.ts';
import type { KindHooks } from '../kind-hooks.ts';
import { eachCidrWarnings, eachIpWarnings, ipWarnings } from './addresses.ts';
import { deprecatedLabel } from './deprecated-labels.ts';
import { fractionWarnings } from './fractions.ts';
import { ingressAddressWarnings } from './network-kinds.ts';
import { termWarnings } from './pod-spec.ts';

const sliceManager = 'endpointslice.kubernetes.io/managed-by';
const sliceManagers = [
  'endpointslice-controller.k8s.io',
  'endpointslicemirroring-controller.k8s.io',
];

const hintsAnnotation = 'service.kubernetes.io/topology-aware-hints';
const ingressClassAnnotation = 'kubernetes.io/ingress.class';
const storageClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options';

export const serviceWarnings: KindHooks = {
  statusWarnings: ingressAddressWarnings,
  warnings(object) {
    const { metadata, spec = {} } = object as unknown as Service;
    const lines: string[] = [];
    if (metadata.annotations?.[hintsAnnotation] !== undefined) {
      lines.push(
        `annotation ${hintsAnnotation} is deprecated, please use service.kubernetes.io/topology-mode instead`,
      );
    }
    lines.push(...eachIpWarnings(spec.clusterIPs, 'spec.clusterIPs'));
    const hasExternalIps = (spec.externalIPs ?? []).length > 0;
    const isHeadless = spec.type === 'ClusterIP' && spec.clusterIP === 'None';
    if (isHeadless) {
      if ((spec.loadBalancerIP ?? '') !== '') {
        lines.push('spec.loadBalancerIP is ignored for headless services');
      }
      if (hasExternalIps) lines.push('spec.externalIPs is ignored for headless services');
      if ((spec.sessionAffinity ?? 'None') !== 'None') {
        lines.push('spec.SessionAffinity is ignored for headless services');
      }
    } else if (spec.type !== 'ExternalName' && hasExternalIps) {
      lines.push(
        'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      );
    }
    if (spec.type !== 'ExternalName') {
      lines.push(...eachIpWarnings(spec.externalIPs, 'spec.externalIPs'));
      lines.push(...ipWarnings(spec.loadBalancerIP, 'spec.loadBalancerIP'));
      const ranges = 'spec.loadBalancerSourceRanges';
      lines.push(...eachCidrWarnings(spec.loadBalancerSourceRanges, ranges));
    }
    if (spec.type === 'ExternalName' && hasExternalIps) {
      lines.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
    }
    if (spec.type !== 'ExternalName' && (spec.externalName ?? '') !== '') {
      lines.push('spec.externalName is ignored when spec.type is not "ExternalName"');
    }
    if (spec.trafficDistribution === 'PreferClose') {
      lines.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
    }
    return lines;
  },
};

export const ingressWarnings: KindHooks = {
  warnings(object, old) {
    const { metadata, spec } = object as unknown as Ingress;
    const hasAnnotation = metadata.annotations?.[ingressClassAnnotation] !== undefined;
    if (old !== undefined || !hasAnnotation || spec?.ingressClassName !== undefined) return [];
    return [
      `annotation "${ingressClassAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`,
    ];
  },
  statusWarnings: ingressAddressWarnings,
};

/** Sources of volumes that are on their way out or gone, by their field. */
const sourceWarnings = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

export const persistentVolumeWarnings: KindHooks = {
  warnings(object) {
    const { metadata, spec } = object as unknown as PersistentVolume;
    const path = 'spec.nodeAffinity.required.nodeSelectorTerms';
    const lines = [
      ...storageClassWarnings(metadata.annotations),
      ...(metadata.annotations?.[mountOptionsAnnotation] === undefined
        ? []
        : [
            `metadata.annotations[${mountOptionsAnnotation}]: deprecated since v1.31; use "mountOptions" attribute instead`,
          ]),
    ];
    if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
      lines.push(
        'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      );
    }
    for (const [field, shown, text] of sourceWarnings) {
      if (spec?.[field] !== undefined) lines.push(`spec.${shown}: ${text}`);
    }
    const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    return [...lines, ...terms.flatMap((term, index) => termWarnings(term, `${path}[${index}]`))];
  },
};

export const persistentVolumeClaimWarnings: KindHooks = {
  warnings(object) {
    const { metadata, spec } = object as unknown as PersistentVolumeClaim;
    return [
      ...storageClassWarnings(metadata.annotations),
      ...fractionWarnings(spec?.resources?.requests, 'spec.resources.requests'),
      ...fractionWarnings(spec?.resources?.limits, 'spec.resources.limits'),
    ];
  },
};

function storageClassWarnings(annotations: Record<string, string> | undefined): string[] {
  if (annotations?.[storageClassAnnotation] === undefined) return [];
  return [
    `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
  ];
}

export const storageClassKindWarnings: KindHooks = {
  warnings(object) {
    const { allowedTopologies = [] } = object as unknown as StorageClass;
    return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
      matchLabelExpressions.flatMap(({ key }, at) => {
        const text = deprecatedLabel(key);
        if (text === undefined) return [];
        return [`allowedTopologies[${index}].matchLabelExpressions[${at}].key: ${text}`];
      }),
    );
  },
};

export const nodeWarnings: KindHooks = {
  warnings(object) {
    const { spec } = object as unknown as Node;
    const lines: string[] = [];
    if (spec?.configSource !== undefined) {
      lines.push('spec.configSource: the feature is removed');
    }
    if ((spec?.externalID ?? '') !== '') {
      lines.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
    }
    return [...lines, ...eachCidrWarnings(spec?.podCIDRs, 'spec.podCIDRs')];
  },
};

export const endpointSliceWarnings: KindHooks = {
  warnings(object, old) {
    const { metadata, addressType, endpoints = [] } = object as unknown as EndpointSlice;
    if (addressType === 'FQDN') {
      return old === undefined ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
    }
    if (sliceManagers.includes(metadata.labels?.[sliceManager] ?? '')) return [];
    return (endpoints ?? []).flatMap(({ addresses }, index) =>
      eachIpWarnings(addresses, `endpoints[${index}].addresses`),
    );
  },
};

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccountWarnings: KindHooks = {
  warnings(object, old) {
    const isSet = object.metadata.annotations?.[mountableSecrets] !== undefined;
    if (!isSet || old?.metadata.annotations?.[mountableSecrets] !== undefined) return [];
    return [
      `metadata.annotations[${mountableSecrets}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
    ];
  },
};
