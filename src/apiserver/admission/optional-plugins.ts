import { resources } from '#client/mod.ts';
import type { Container, Pod, Service, Toleration } from '#schema/types.ts';

import { notFound } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, isResource, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

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
  handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE') && !hasSameImages(attributes),
  mutate(attributes) {
    const { spec } = podOf(attributes);
    for (const container of containersOf({ spec } as Pod)) container.imagePullPolicy = 'Always';
    for (const { image } of spec.volumes ?? []) {
      if (image !== undefined) image.pullPolicy = 'Always';
    }
  },
  validate(attributes) {
    const { spec } = podOf(attributes);
    const errors: string[] = [];
    const check = (path: string, policy: string | undefined): void => {
      if (policy === 'Always') return;
      const shown = JSON.stringify(policy ?? '');
      errors.push(`${path}: Unsupported value: ${shown}: supported values: "Always"`);
    };
    for (const kind of ['initContainers', 'containers'] as const) {
      for (const [index, { imagePullPolicy }] of (spec[kind] ?? []).entries()) {
        check(`spec.${kind}[${index}].imagePullPolicy`, imagePullPolicy);
      }
    }
    for (const [index, { image }] of (spec.volumes ?? []).entries()) {
      if (image !== undefined) check(`spec.volumes[${index}].image.pullPolicy`, image.pullPolicy);
    }
    const [first] = errors;
    if (first !== undefined) throw refuse(attributes, first);
  },
};

/** An update that brings no image that the pod did not have. */
function hasSameImages({ operation, object, oldObject }: AdmissionAttributes): boolean {
  if (operation !== 'UPDATE') return false;
  const old = new Set(containersOf(oldObject as unknown as Pod).map(({ image }) => image));
  return containersOf(object as unknown as Pod).every(({ image }) => old.has(image));
}

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
    const missing = [...names]
      .sort()
      .map((key) => ({ key, operator: 'Exists' as const, effect: 'NoSchedule' as const }));
    if (missing.length === 0) return;
    const own = (pod.spec.tolerations ?? []).filter(
      (toleration) => !missing.some((wanted) => sameKey(toleration, wanted)),
    );
    pod.spec.tolerations = [...own, ...missing];
  },
};

/** Tolerations that are about the same taints: the later one takes the place of the other. */
function sameKey(one: Toleration, other: Toleration): boolean {
  return (
    one.key === other.key &&
    (one.effect ?? '') === other.effect &&
    (one.operator ?? 'Equal') === other.operator &&
    (one.value ?? '') === (other.value ?? '')
  );
}

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
