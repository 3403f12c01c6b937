import { resources } from '#client/mod.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import type { Namespace, Toleration } from '#schema/types.ts';

import { plainError } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, podOf } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';
import { sameJson } from './same-json.ts';

const defaultsAnnotation = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const allowedAnnotation = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
const memoryPressure: Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** What holds in namespaces without the annotations. */
export interface TolerationConfig {
  readonly default: readonly Toleration[];
  readonly whitelist: readonly Toleration[];
}

/** Gives pods the tolerations that an annotation of their namespace lists, and allows no others. */
export function createPodTolerationRestriction(options: {
  reader: ObjectReader;
  tolerations?: TolerationConfig | undefined;
}): AdmissionPlugin {
  const { reader, tolerations: cluster = { default: [], whitelist: [] } } = options;
  const listed = (
    { namespace }: AdmissionAttributes,
    annotation: string,
  ): Toleration[] | undefined => {
    const found = reader.get<Namespace>(resources.namespaces, '', namespace);
    return readTolerations(found?.metadata.annotations?.[annotation]);
  };
  const check = (attributes: AdmissionAttributes): void => {
    const ofNamespace = listed(attributes, allowedAnnotation);
    const allowed = ofNamespace ?? cluster.whitelist;
    const own = podOf(attributes).spec.tolerations ?? [];
    if (allowed.length === 0) return;
    if (own.every((toleration) => allowed.some((one) => covers(one, toleration)))) return;
    const scope = ofNamespace === undefined ? 'cluster' : 'namespace';
    throw plainError(
      `pod tolerations (possibly merged with ${scope} default tolerations) conflict with its ${scope} whitelist`,
    );
  };
  return {
    name: 'PodTolerationRestriction',
    handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
    mutate(attributes) {
      const { spec } = podOf(attributes);
      const isNew = attributes.operation === 'CREATE';
      const more = isNew ? [...(listed(attributes, defaultsAnnotation) ?? cluster.default)] : [];
      if (podQosClass(spec) !== 'BestEffort') more.push(memoryPressure);
      if (more.length > 0) spec.tolerations = merge(spec.tolerations ?? [], more);
      check(attributes);
    },
    validate: check,
  };
}

/** A list in an annotation, undefined without it. Throws for what cannot be read. */
function readTolerations(text: string | undefined): Toleration[] | undefined {
  if (text === undefined) return undefined;
  if (text === '') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed as Toleration[];
  } catch (error) {
    throw plainError(error instanceof Error ? error.message : String(error));
  }
  throw plainError('json: cannot unmarshal into Go value of type []v1.Toleration');
}

/** Both lists without what another toleration covers; of equal ones the first stays. */
function merge(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  return all.filter((toleration, index) => {
    return !all.some((other, place) => {
      if (place === index || !covers(other, toleration)) return false;
      return place < index || !covers(toleration, other);
    });
  });
}

/** Whether a toleration tolerates at least what another one does. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (sameJson(wide, narrow)) return true;
  const isAnyKey = (wide.key ?? '') === '';
  if (!isAnyKey && wide.key !== narrow.key) return false;
  const effect = wide.effect ?? '';
  if (effect !== '' && effect !== (narrow.effect ?? '')) return false;
  if (effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    const seconds = narrow.tolerationSeconds;
    if (seconds === undefined || seconds > wide.tolerationSeconds) return false;
  }
  if (wide.operator === 'Exists') return true;
  return narrow.operator !== 'Exists' && (wide.value ?? '') === (narrow.value ?? '');
}
