/** Sizes of values: of `size()` and of costs. */
import { CelList } from './list.ts';
import { CelMap } from './map.ts';
import { CelAbstract, type CelValue } from './value.ts';
import { spendText } from './work.ts';

/** Code points of a string. */
export function stringSize(text: string): number {
  let size = text.length;
  if (size > 64) spendText(size);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff && at + 1 < text.length) {
      const next = text.charCodeAt(at + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        size -= 1;
        at += 1;
      }
    }
  }
  return size;
}

/** What costs count: elements, characters or bytes, and 1 for anything else. */
export function costSize(value: CelValue): number {
  if (typeof value === 'string') return stringSize(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelAbstract) return value.costSize();
  return 1;
}

/** Cost of walking through a value as a tree; stops counting beyond `limit`. */
export function traversalCost(value: CelValue, limit = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return Math.floor(Buffer.byteLength(value) * 0.1);
  if (value instanceof Uint8Array) return Math.floor(value.length * 0.1);
  let cost = 0;
  if (value instanceof CelList) {
    for (let at = 0; at < value.size && cost <= limit; at++) {
      cost += traversalCost(value.at(at), limit);
    }
    return cost;
  }
  if (value instanceof CelMap) {
    for (const key of value.keys()) {
      if (cost > limit) break;
      cost += traversalCost(key) + traversalCost(value.find(key) as CelValue, limit);
    }
    return cost;
  }
  return 1;
}
