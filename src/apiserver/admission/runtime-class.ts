import { compareQuantity, parseQuantity } from '#base/quantity.ts';
import { resources } from '#client/mod.ts';
import type { PodSpec, RuntimeClass, Toleration } from '#schema/types.ts';

import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

/** Overhead and node choice of a runtime class become the pod's. */
export function createRuntimeClassPlugin(options: { reader: ObjectReader }): AdmissionPlugin {
  const classOf = async (attributes: AdmissionAttributes): Promise<RuntimeClass | undefined> => {
    const name = podOf(attributes).spec.runtimeClassName ?? '';
    if (name === '') return undefined;
    const { reader } = options;
    const found = await getOrRefresh<RuntimeClass>(reader, resources.runtimeClasses, '', name);
    if (found === undefined) {
      throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    }
    return found;
  };
  return {
    name: 'RuntimeClass',
    handles: (attributes) => {
      if (!isPod(attributes, 'CREATE')) return false;
      const { spec } = podOf(attributes);
      return spec.runtimeClassName !== undefined || spec.overhead !== undefined;
    },
    async mutate(attributes) {
      const found = await classOf(attributes);
      if (found === undefined) return;
      const { spec } = podOf(attributes);
      const overhead = found.overhead?.podFixed;
      if (overhead !== undefined) {
        if (spec.overhead === undefined) spec.overhead = { ...overhead };
        else if (!sameAmounts(spec.overhead, overhead)) {
          throw refuse(
            attributes,
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
          );
        }
      }
      applyScheduling(attributes, spec, found);
    },
    async validate(attributes) {
      const found = await classOf(attributes);
      const { overhead } = podOf(attributes).spec;
      if (overhead === undefined || Object.keys(overhead).length === 0) return;
      const allowed = found?.overhead?.podFixed;
      if (allowed === undefined) {
        throw refuse(
          attributes,
          'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
        );
      }
      if (!sameAmounts(overhead, allowed)) {
        throw refuse(
          attributes,
          "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        );
      }
    },
  };
}

function applyScheduling(
  attributes: AdmissionAttributes,
  spec: PodSpec,
  found: RuntimeClass,
): void {
  const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {};
  for (const [key, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      throw refuse(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    }
  }
  if (Object.keys(nodeSelector).length > 0) {
    spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
  }
  const known = new Set((spec.tolerations ?? []).map(tolerationKey));
  const missing = tolerations.filter((entry) => !known.has(tolerationKey(entry)));
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing];
}

function tolerationKey(entry: Toleration): string {
  const { key, operator, value, effect, tolerationSeconds } = entry;
  return JSON.stringify([key, operator, value, effect, tolerationSeconds]);
}

function sameAmounts(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
): boolean {
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => {
    const other = right[key];
    if (other === undefined) return false;
    return compareQuantity(parseQuantity(String(left[key])), parseQuantity(String(other))) === 0;
  });
}
