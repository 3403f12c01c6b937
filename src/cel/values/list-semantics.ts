/** Lists that Kubernetes takes for sets, or for maps by some fields of their elements. */
import { escapeProperty } from '../escaping.ts';
import { CelList, type ListSemantics } from './list.ts';
import { CelMap, keyText } from './map.ts';
import { toJson } from './to-json.ts';
import type { CelValue } from './value.ts';

/** Elements are the same one when these texts are equal. */
function identity(value: CelValue, semantics: ListSemantics): string {
  if (semantics.kind === 'set') return keyText(value) ?? JSON.stringify(toJson(value));
  if (!(value instanceof CelMap)) return JSON.stringify(toJson(value) ?? null);
  return JSON.stringify(
    semantics.keys.map((key) => toJson(value.find(escapeProperty(key) ?? key) ?? null)),
  );
}

/** The elements by what identifies them; of equal ones the last stays, at the first one's place. */
export function elementsByIdentity(list: CelList, semantics: ListSemantics): Map<string, CelValue> {
  return new Map(list.values().map((value) => [identity(value, semantics), value]));
}

/** The union of a set or map with the elements of another list, in the order of the first. */
export function joinSemantic(left: CelList, right: CelList, semantics: ListSemantics): CelList {
  const joined = elementsByIdentity(left, semantics);
  for (const [key, value] of elementsByIdentity(right, semantics)) {
    if (semantics.kind === 'map' || !joined.has(key)) joined.set(key, value);
  }
  return new CelList([...joined.values()], undefined, semantics);
}
