/**
 * The three kinds of patches that change an object without owning its fields: JSON patch, JSON
 * merge patch and strategic merge patch. Results share what did not change with the original,
 * which is never touched; decoding and validating the result is the caller's. Server-side apply
 * lives in ../apply. Start reading at strategic-map.ts.
 */
export { applyJsonPatch } from './json-patch.ts';
export { goText } from './go-text.ts';
export { jsonEqual } from './json-equal.ts';
export { applyMergePatch } from './merge-patch.ts';
export { applyStrategicPatch } from './strategic-patch.ts';
export type { TypeLookup } from './type-lookup.ts';
