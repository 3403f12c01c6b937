// Temporary stand-ins until the schema modules land.
import type { FieldError, ResourceInfo, UnknownObject } from '#schema/mod.ts';
export { applyDefaults, catalog, conform, decodeBody } from '#schema/mod.ts';
export { prepareForCreate, prepareForUpdate } from '#schema/strategy/mod.ts';
export { tableCells, tableColumns } from '#schema/mod.ts';
export { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';
export function validateCreate(_i: ResourceInfo, _o: UnknownObject): FieldError[] { return []; }
export function validateUpdate(_i: ResourceInfo, _o: UnknownObject, _old: UnknownObject, _s: string): FieldError[] { return []; }
export function trackUpdate(o: { old: UnknownObject | undefined; object: UnknownObject; manager: string; operation: 'Update'; info: ResourceInfo; subresource: string; nowMs: number }): UnknownObject { return o.object; }
export function serverSideApply(_o: any): UnknownObject { throw new Error('later'); }
export function applyJsonPatch(_o: UnknownObject, _p: unknown): UnknownObject { throw new Error('later'); }
export function applyMergePatch(o: any, p: any): any { if (typeof p !== 'object' || p === null || Array.isArray(p)) return p; const r: any = { ...(typeof o === 'object' ? o : {}) }; for (const k of Object.keys(p)) { if (p[k] === null) delete r[k]; else r[k] = applyMergePatch(r[k], p[k]); } return r; }
export function applyStrategicPatch(o: any, p: any, _t: string): any { return applyMergePatch(o, p); }
