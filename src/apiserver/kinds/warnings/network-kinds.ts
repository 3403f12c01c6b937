import type { UnknownObject } from '#schema/mod.ts';
import type {
  CSIDriver,
  CSIStorageCapacity,
  Endpoints,
  Ingress,
  NetworkPolicy,
  NetworkPolicyPeer,
  ResourceSlice,
  RuntimeClass,
} from '#schema/types.ts';
import type { KindHooks } from '../kind-hooks.ts';
import { cidrWarnings, eachCidrWarnings, ipWarnings } from './addresses.ts';
import { deprecatedLabel } from './deprecated-labels.ts';

const endpointsManager = 'endpoints.kubernetes.io/managed-by';

export const endpointsWarnings: KindHooks = {
  warnings(object) {
    const { metadata, subsets = [] } = object as unknown as Endpoints;
    if (metadata.labels?.[endpointsManager] === 'endpoint-controller') return [];
    return subsets.flatMap((subset, index) =>
      (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
        (subset[list] ?? []).flatMap(({ ip }, at) =>
          ipWarnings(ip, `subsets[${index}].${list}[${at}].ip`),
        ),
      ),
    );
  },
};

export const networkPolicyWarnings: KindHooks = {
  warnings(object) {
    const { spec } = object as unknown as NetworkPolicy;
    const lines: string[] = [];
    const check = (peers: readonly NetworkPolicyPeer[] | undefined, path: string): void => {
      for (const [index, { ipBlock }] of (peers ?? []).entries()) {
        if (ipBlock === undefined) continue;
        const at = `${path}[${index}].ipBlock`;
        lines.push(...cidrWarnings(ipBlock.cidr, `${at}.cidr`));
        lines.push(...eachCidrWarnings(ipBlock.except, `${at}.except`));
      }
    };
    spec?.ingress?.forEach(({ from }, index) => check(from, `spec.ingress[${index}].from`));
    spec?.egress?.forEach(({ to }, index) => check(to, `spec.egress[${index}].to`));
    return lines;
  },
};

/** Of the addresses that a load balancer wrote into the status. */
export function ingressAddressWarnings(object: UnknownObject): string[] {
  const { status } = object as unknown as Ingress;
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
    ip === undefined || ip === '' ? [] : ipWarnings(ip, `status.loadBalancer.ingress[${index}].ip`),
  );
}

export const csiStorageCapacityWarnings: KindHooks = {
  warnings(object) {
    const { nodeTopology } = object as unknown as CSIStorageCapacity;
    const expressions = (nodeTopology?.matchExpressions ?? []).flatMap(({ key }, index) => {
      const text = deprecatedLabel(key);
      const path = `nodeTopology.matchExpressions[${index}].key`;
      return text === undefined ? [] : [`${path}: ${key} is ${text}`];
    });
    const labels = Object.keys(nodeTopology?.matchLabels ?? {}).flatMap((label) => {
      const text = deprecatedLabel(label);
      return text === undefined ? [] : [`nodeTopology.matchLabels.${label}: ${text}`];
    });
    return [...expressions, ...labels];
  },
};

export const runtimeClassWarnings: KindHooks = {
  warnings(object) {
    const { scheduling } = object as unknown as RuntimeClass;
    return Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const text = deprecatedLabel(label);
      return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
    });
  },
};

export const csiDriverWarnings: KindHooks = {
  warnings(object) {
    const { spec } = object as unknown as CSIDriver;
    const asksForTokens = (spec?.tokenRequests?.length ?? 0) > 0;
    if (!asksForTokens || spec?.serviceAccountTokenInSecrets !== undefined) return [];
    return [
      'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
    ];
  },
};

export const resourceSliceWarnings: KindHooks = {
  warnings(object) {
    const driver = (object as unknown as ResourceSlice).spec?.driver ?? '';
    if (driver === driver.toLowerCase()) return [];
    return [
      `spec.driver: driver names should be lowercase; "${driver}" contains uppercase characters`,
    ];
  },
};
