import { encodeProtobufItem } from '#schema/protobuf/mod.ts';
import { notAcceptable } from '../api-errors.ts';
import type { CacheEntry } from '../cache/mod.ts';
import { acceptedTypes } from '../negotiate.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedObject } from '../resource-registry.ts';

/** All are forgotten when they get longer. */
const maxBytes = 8 * 2 ** 20;

/**
 * The protobuf form of objects of one served resource, made when a list first needs it: encoding
 * costs ten times what sending does. Goes away with the entry.
 */
export class ProtobufItems {
  readonly #served: ServedResource;
  #items = new WeakMap<CacheEntry, Buffer>();
  #sizeBytes = 0;

  constructor(served: ServedResource) {
    this.#served = served;
  }

  /** An item as encodeProtobufItem writes it; NotAcceptable for kinds without protobuf form. */
  get(entry: CacheEntry): Buffer {
    const kept = this.#items.get(entry);
    if (kept !== undefined) return kept;
    const { kind, apiVersion } = this.#served.layout;
    const item = encodeProtobufItem({ ...servedObject(this.#served, entry), kind, apiVersion });
    if (item === undefined) throw notAcceptable(acceptedTypes.slice(0, 2));
    this.#sizeBytes += item.length;
    if (this.#sizeBytes > maxBytes) {
      this.#items = new WeakMap();
      this.#sizeBytes = item.length;
    }
    this.#items.set(entry, item);
    return item;
  }
}

const ofResources = new WeakMap<ServedResource, ProtobufItems>();

export function protobufItemsOf(served: ServedResource): ProtobufItems {
  let items = ofResources.get(served);
  if (items === undefined) ofResources.set(served, (items = new ProtobufItems(served)));
  return items;
}
