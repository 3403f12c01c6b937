import type { FieldInfo } from '../type-table/field-info.ts';
import {
  deletePrefix,
  isDirective,
  orderPrefix,
  patchMarker,
  plainValue,
  retainKeysMarker,
} from './directives.ts';
import { orderElements } from './element-order.ts';
import { goText } from './go-text.ts';
import type { Fields } from './patch-errors.ts';
import { badRequest, isFields, ownField, plainFailure, setField } from './patch-errors.ts';
import { deleteFromList, keyOfItems, mergeList } from './strategic-list.ts';
import type { LookedUpType, TypeLookup } from './type-lookup.ts';

/** Where the values of a patch belong: a struct, a map of structs, or nothing known. */
export interface Place {
  readonly type: LookedUpType | undefined;
  /** Of a map: the type of every value. */
  readonly valueType: LookedUpType | undefined;
}

const unknownPlace: Place = { type: undefined, valueType: undefined };

export class StrategicMerge {
  readonly #types: TypeLookup;

  constructor(types: TypeLookup) {
    this.#types = types;
  }

  /** The merge of a patch into an object; neither is changed. */
  merge(original: Fields, patch: Fields, place: Place): Fields {
    const marker = patch[patchMarker];
    if (marker === 'replace') return plainValue(patch) as Fields;
    if (marker === 'delete') return {};
    if (marker !== undefined && marker !== 'merge') {
      throw plainFailure(`unknown patch type: ${goText(marker)} in map: ${goText(patch)}`);
    }
    const result = { ...original };
    retainKeys(result, patch);
    const done = this.#mergeOrderedLists(result, patch, place);
    for (const key of Object.keys(patch)) {
      const value = patch[key];
      if (key.startsWith(deletePrefix)) deletePrimitives(result, key, value);
      else if (!isDirective(key) && !done.has(key)) this.#mergeField(result, key, value, place);
    }
    return result;
  }

  #mergeField(result: Fields, key: string, value: unknown, place: Place): void {
    if (value === null) {
      delete result[key];
      return;
    }
    const before = ownField(result, key);
    const field = place.type?.fields.get(key);
    const isReplaced = field?.patchStrategy.includes('replace') === true;
    if (isFields(value) && isFields(before)) {
      const merged = isReplaced
        ? plainValue(value)
        : this.merge(before, value, this.#placeOf(field, place));
      setField(result, key, merged);
    } else if (Array.isArray(value) && Array.isArray(before)) {
      setField(result, key, this.#mergeListField(before, value, field));
    } else setField(result, key, plainValue(value));
  }

  #mergeListField(
    original: readonly unknown[],
    patch: readonly unknown[],
    field: FieldInfo | undefined,
  ): unknown {
    if (field?.patchStrategy.includes('merge') !== true) return plainValue(patch);
    const place = this.#placeOf(field.element, unknownPlace);
    return mergeList(original, patch, field.patchMergeKey, (before, item) =>
      this.merge(before, item, place),
    );
  }

  #placeOf(value: FieldInfo['element'], parent: Place): Place {
    if (value === undefined) return { type: parent.valueType, valueType: undefined };
    const typeOf = (name: string | undefined): LookedUpType | undefined =>
      name === undefined ? undefined : this.#types.type(name);
    if (value.kind === 'struct') return { type: typeOf(value.typeName), valueType: undefined };
    if (value.kind !== 'map') return unknownPlace;
    return { type: undefined, valueType: typeOf(value.element?.typeName) };
  }

  /** Merges the lists that `$setElementOrder` speaks of and says which fields they are. */
  #mergeOrderedLists(result: Fields, patch: Fields, place: Place): ReadonlySet<string> {
    const done = new Set<string>();
    for (const directive of Object.keys(patch)) {
      if (!directive.startsWith(orderPrefix)) continue;
      const order = patch[directive];
      if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
      const key = directive.slice(orderPrefix.length);
      const before = ownField(result, key);
      const value = ownField(patch, key);
      if (value === null || (!Array.isArray(before) && !Array.isArray(value))) continue;
      const field = place.type?.fields.get(key);
      if (value !== undefined) this.#mergeField(result, key, value, place);
      done.add(key);
      const merged = ownField(result, key);
      if (!Array.isArray(merged)) continue;
      const server = Array.isArray(before) ? before : [];
      const keyOf = keyOfItems(field?.patchMergeKey);
      setField(result, key, orderElements(merged, order, server, keyOf));
    }
    return done;
  }
}

/** Drops the fields of an object that `$retainKeys` does not name. */
function retainKeys(result: Fields, patch: Fields): void {
  const retained = patch[retainKeysMarker];
  if (retained === undefined) return;
  if (!Array.isArray(retained)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set<unknown>(retained);
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null && !isDirective(key) && !kept.has(key)) {
      throw badRequest('invalid patch format of retainKeys');
    }
  }
  for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key];
}

function deletePrimitives(result: Fields, directive: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list');
  const key = directive.slice(deletePrefix.length);
  const before = ownField(result, key);
  if (Array.isArray(before) && values.length > 0) {
    setField(result, key, deleteFromList(before, values));
  }
}
