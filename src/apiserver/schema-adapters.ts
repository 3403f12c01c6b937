// Temporary stand-ins until the schema modules land.
import type { FieldError, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { Selector } from './cache/selection.ts';
export { catalog, conform, decodeBody } from '#schema/mod.ts';
export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}
export interface ParsedSelector extends Selector {
  readonly requirements: readonly Requirement[];
}
export function parseLabelSelector(text: string): ParsedSelector {
  const requirements = text
    .split(',')
    .filter(Boolean)
    .map((t) => {
      const m = /^([^!=]+)(==?|!=)(.*)$/.exec(t)!;
      return { key: m[1]!, operator: m[2] === '!=' ? '!=' : '=', values: [m[3]!] };
    });
  return {
    requirements,
    isEmpty: requirements.length === 0,
    matches: (v) => requirements.every((r) => (v[r.key] === r.values[0]) === (r.operator === '=')),
  };
}
export const parseFieldSelector = parseLabelSelector;
export function applyDefaults(_o: UnknownObject, _t: string): void {}
export function prepareForCreate(_i: ResourceInfo, _o: UnknownObject): void {}
export function prepareForUpdate(
  _i: ResourceInfo,
  _o: UnknownObject,
  _old: UnknownObject,
  _s: string,
): void {}
export function validateCreate(_i: ResourceInfo, _o: UnknownObject): FieldError[] {
  return [];
}
export function validateUpdate(
  _i: ResourceInfo,
  _o: UnknownObject,
  _old: UnknownObject,
  _s: string,
): FieldError[] {
  return [];
}
export function trackUpdate(o: {
  old: UnknownObject | undefined;
  object: UnknownObject;
  manager: string;
  operation: 'Update';
  info: ResourceInfo;
  subresource: string;
  nowMs: number;
}): UnknownObject {
  return o.object;
}
export function serverSideApply(_o: any): UnknownObject {
  throw new Error('later');
}
export function applyJsonPatch(_o: UnknownObject, _p: unknown): UnknownObject {
  throw new Error('later');
}
export function applyMergePatch(o: any, p: any): any {
  if (typeof p !== 'object' || p === null || Array.isArray(p)) return p;
  const r: any = { ...(typeof o === 'object' ? o : {}) };
  for (const k of Object.keys(p)) {
    if (p[k] === null) delete r[k];
    else r[k] = applyMergePatch(r[k], p[k]);
  }
  return r;
}
export function applyStrategicPatch(o: any, p: any, _t: string): any {
  return applyMergePatch(o, p);
}
export function tableColumns(_i: ResourceInfo): readonly object[] {
  return [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }];
}
export function tableCells(_i: ResourceInfo, o: UnknownObject, _n: number): readonly unknown[] {
  return [o.metadata.name];
}
