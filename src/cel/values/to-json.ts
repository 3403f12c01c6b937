import { CelList } from './list.ts';
import { CelMap } from './map.ts';
import { CelDuration, CelTimestamp, formatDurationSeconds, formatTimestamp } from './time.ts';
import { CelDouble, CelOptional, CelTypeValue, CelUint, type CelValue } from './value.ts';

function keyOf(key: CelValue): string {
  return String(key instanceof CelUint || key instanceof CelDouble ? key.value : key);
}

/**
 * Plain JavaScript for a value: times are strings, bytes base64, an empty optional undefined.
 * Integers beyond the safe range stay bigint, which JSON.stringify refuses.
 */
export function toJson(value: CelValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof CelDouble) return value.value;
  if (value instanceof CelUint) {
    const small = Number(value.value);
    return Number.isSafeInteger(small) ? small : value.value;
  }
  if (value instanceof CelList) return value.values().map(toJson);
  if (value instanceof CelMap) {
    return Object.fromEntries(
      value.keys().map((key) => [keyOf(key), toJson(value.find(key) as CelValue)]),
    );
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof CelTimestamp) return formatTimestamp(value);
  if (value instanceof CelDuration) return formatDurationSeconds(value);
  if (value instanceof CelTypeValue) return value.name;
  if (value instanceof CelOptional) {
    return value.value === undefined ? undefined : toJson(value.value);
  }
  return value.toJson();
}
