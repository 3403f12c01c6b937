import { resources } from '#client/mod.ts';
import type { Container, Pod, Service } from '#schema/types.ts';

import { notFound } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, isResource, podOf, refuse } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { sameJson } from './same-json.ts';

/** Small plugins that are off by default and take a line of --enable-admission-plugins. */
export function createOptionalPlugins(options: { reader: ObjectReader }): AdmissionPlugin[] {
  return [
    alwaysPullImages,
    denyServiceExternalIps,
    extendedResourceToleration,
    limitAntiAffinityTopology,
    { name: 'AlwaysAdmit', handles: () => false },
    {
      name: 'AlwaysDeny',
      handles: (attributes) => attributes.operation !== 'CONNECT',
      validate(attributes) {
        throw refuse(attributes, 'admission control is denying all modifications');
      },
    },
    {
      name: 'NamespaceExists',
      handles: (attributes) => attributes.namespace !== '',
      validate(attributes) {
        const { namespace } = attributes;
        const found = options.reader.get(resources.namespaces, '', namespace);
        if (found === undefined) throw notFound(resources.namespaces, namespace);
      },
    },
  ];
}

function containersOf(pod: Pod): Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

/** So that a node's image cache lets nobody in who could not pull. */
const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  mutate(attributes) {
    for (const container of containersOf(podOf(attributes))) container.imagePullPolicy = 'Always';
  },
  validate(attributes) {
    const lazy = containersOf(podOf(attributes)).some(
      (container) => container.imagePullPolicy !== 'Always',
    );
    if (lazy)
      throw refuse(attributes, 'imagePullPolicy: Unsupported value: supported values: "Always"');
  },
};

const denyServiceExternalIps: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  handles: (attributes) =>
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
    isResource(attributes, '', 'services'),
  validate(attributes) {
    const addresses = (of: unknown): string[] =>
      (of as Service | undefined)?.spec?.externalIPs ?? [];
    const old = new Set(addresses(attributes.oldObject));
    if (addresses(attributes.object).some((address) => !old.has(address))) {
      throw refuse(attributes, 'Use of external IPs is denied by admission control');
    }
  },
};

const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  mutate(attributes) {
    const pod = podOf(attributes);
    const names = new Set<string>();
    for (const container of containersOf(pod)) {
      for (const name of Object.keys(container.resources?.requests ?? {})) {
        if (isExtended(name)) names.add(name);
      }
    }
    const own = pod.spec.tolerations ?? [];
    const missing = [...names]
      .sort()
      .map((key) => ({ key, operator: 'Exists' as const }))
      .filter((wanted) => !own.some((entry) => sameJson(entry, wanted)));
    if (missing.length > 0) pod.spec.tolerations = [...own, ...missing];
  },
};

function isExtended(name: string): boolean {
  return (
    name.includes('/') && !name.startsWith('requests.') && !/(^|\.)kubernetes\.io\//.test(name)
  );
}

const limitAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  validate(attributes) {
    const terms =
      podOf(attributes).spec.affinity?.podAntiAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const { topologyKey } of terms) {
      if (topologyKey === 'kubernetes.io/hostname') continue;
      throw refuse(
        attributes,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${topologyKey} but only key kubernetes.io/hostname is allowed`,
      );
    }
  },
};
