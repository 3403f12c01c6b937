import type { FieldError } from '../field-error.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { isBuiltIn } from '../strategy/kind-rules.ts';
import { ErrorList } from './error-list.ts';
import { metadataPath } from './field-path.ts';
import { dns1123SubdomainErrors, pathSegmentErrors } from './formats/names.ts';
import type { AnyKindRules } from './kind-rules.ts';
import { kindRules } from './kinds.ts';
import { checkMetaUpdate } from './shared/meta-update.ts';
import { checkMetaOfUpdate, checkObjectMeta } from './shared/object-meta.ts';
import { checkTypeRules } from './type-rules.ts';

/** Custom resources; the schema of their definition is checked elsewhere. */
const customRules: AnyKindRules = { name: dns1123SubdomainErrors, kubeFinalizers: false };
const noRules: AnyKindRules = {};

function rulesOf(info: ResourceInfo): AnyKindRules | undefined {
  if (!isBuiltIn(info)) return customRules;
  const key = `${info.group}/${info.kind}`;
  return kindRules[`${key}/${info.version}`] ?? kindRules[key];
}

/**
 * Everything that is wrong with a new object, in upstream's order and words; none for a valid one.
 * The object must be decoded, have its defaults and be prepared by the strategy. It is not changed.
 */
export function validateCreate(info: ResourceInfo, object: UnknownObject): FieldError[] {
  const errors = new ErrorList();
  const rules = rulesOf(info);
  const { name = pathSegmentErrors, kubeFinalizers = true, check, create } = rules ?? noRules;
  const meta = { namespaced: info.namespaced, name, kubeFinalizers };
  const isEarly = rules === undefined || rules.name !== undefined;
  if (isEarly) checkObjectMeta(errors, metadataPath, object.metadata, meta);
  check?.(errors, object as never, undefined);
  create?.(errors, object as never);
  if (rules === undefined) checkTypeRules(errors, info.typeName, object, undefined);
  if (!isEarly && rules.isReview !== true && errors.count === 0) {
    checkObjectMeta(errors, metadataPath, object.metadata, { ...meta, kubeFinalizers: false });
  }
  return errors.errors;
}

/**
 * The same for a change of `old` through a subresource, '' being the object itself. The caller has
 * seen to it that the resourceVersion is the stored one.
 */
export function validateUpdate(
  info: ResourceInfo,
  object: UnknownObject,
  old: UnknownObject,
  subresource: string,
): FieldError[] {
  const errors = new ErrorList();
  const rules = rulesOf(info);
  const meta = { namespaced: info.namespaced, name: pathSegmentErrors };
  checkMetaOfUpdate(errors, metadataPath, object.metadata, meta);
  checkMetaUpdate(errors, metadataPath, object.metadata, old.metadata);
  const special = rules?.subresources?.[subresource];
  if (special !== undefined) special(errors, object as never, old as never);
  else if (rules === undefined) checkTypeRules(errors, info.typeName, object, old);
  else if (subresource !== 'status') {
    rules.check?.(errors, object as never, old as never);
    rules.update?.(errors, object as never, old as never);
  }
  return errors.errors;
}
