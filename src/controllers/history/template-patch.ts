import type { ControllerRevision, PodTemplateSpec } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';

interface TemplatePatch {
  readonly spec?: { readonly template?: Readonly<Record<string, unknown>> };
}

/** The strategic merge patch that brings a template back; the form that kubectl undo applies. */
export function templatePatch(template: PodTemplateSpec): object {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}

/** The template that a revision holds. */
export function templateOfRevision(revision: ControllerRevision): PodTemplateSpec {
  const { spec } = (revision.data ?? {}) as TemplatePatch;
  const { $patch: _directive, ...template } = spec?.template ?? {};
  return template;
}

/** Whether a revision holds this template; null fields, which old releases wrote, do not count. */
export function isSameTemplate(revision: ControllerRevision, template: PodTemplateSpec): boolean {
  return isSameJson(withoutNulls(templateOfRevision(revision)), withoutNulls(template));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(fields.map(([key, inner]) => [key, withoutNulls(inner)]));
}
