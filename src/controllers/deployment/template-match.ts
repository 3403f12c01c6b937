import type { Deployment, PodTemplateSpec, ReplicaSet } from '#schema/types.ts';
import { sortedText } from '../name-hash.ts';
import { byAge } from './set-order.ts';

export const hashLabel = 'pod-template-hash';

/** Compares pod templates without the hash label; remembers the text of each template object. */
export interface TemplateMatcher {
  /** The set whose template is the Deployment's: the oldest, should there be two. */
  newSetOf(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined;
  isSame(a: PodTemplateSpec, b: PodTemplateSpec): boolean;
}

export function createTemplateMatcher(): TemplateMatcher {
  const texts = new WeakMap<object, string>();
  const textOf = (template: PodTemplateSpec): string => {
    let text = texts.get(template);
    if (text === undefined) texts.set(template, (text = sortedText(comparable(template))));
    return text;
  };
  const isSame = (a: PodTemplateSpec, b: PodTemplateSpec): boolean => textOf(a) === textOf(b);
  return {
    isSame,
    newSetOf(deployment, sets) {
      const template = deployment.spec?.template ?? {};
      return byAge(sets).find((set) => isSame(set.spec?.template ?? {}, template));
    },
  };
}

/**
 * Without the hash label, and without what upstream's semantic equality ignores: empty and null.
 */
function comparable(template: PodTemplateSpec): object {
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const { [hashLabel]: _hash, ...others } = labels;
  return { labels: others, annotations, spec: withoutEmpty(template.spec) };
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([, inner]) => inner !== null && inner !== undefined && !isEmptyList(inner),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner)]));
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
