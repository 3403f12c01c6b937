import type { CelType } from '#cel/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicySpec } from '#schema/types.ts';
import { ExpressionSet } from '../expression-set.ts';
import { schemaType } from './schema-type.ts';

/** Kinds that one policy is checked against. */
const maxKinds = 10;

/** What is known of a resource's objects: built-in kinds by their tables, custom ones by `custom`. */
export type CustomTypes = (resource: ResourceInfo) => CelType | undefined;

/**
 * Compiles the expressions of a policy against the schema of each kind that its rules name, and
 * tells what does not fit. Rules with wildcards and subresources are not looked at, as upstream.
 */
export function checkPolicyTypes(
  spec: ValidatingAdmissionPolicySpec,
  resources: readonly ResourceInfo[],
  custom: CustomTypes = () => undefined,
): ExpressionWarning[] {
  const typeOf = (resource: ResourceInfo): CelType =>
    custom(resource) ?? schemaType(resource.typeName);
  const params = paramType(spec, resources, typeOf);
  const checked = ruledResources(spec, resources).map((resource) => ({
    name: `${resource.group}/${resource.version}, Kind=${resource.kind}`,
    set: new ExpressionSet({ spec, object: typeOf(resource), params }),
  }));
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, expression: string): void => {
    const faults = checked.flatMap(({ name, set }) => {
      const { error } = set.compile(expression, [{ kind: 'dyn' }]);
      return error === undefined ? [] : [`${name}: ${error.replace('compilation failed: ', '')}\n`];
    });
    if (faults.length > 0) warnings.push({ fieldRef, warning: faults.join('\n') });
  };
  for (const [index, validation] of (spec.validations ?? []).entries()) {
    const { expression, messageExpression = '' } = validation;
    check(`spec.validations[${index}].expression`, expression);
    if (messageExpression.trim() === '') continue;
    check(`spec.validations[${index}].messageExpression`, messageExpression);
  }
  return warnings;
}

function paramType(
  { paramKind }: ValidatingAdmissionPolicySpec,
  resources: readonly ResourceInfo[],
  typeOf: (resource: ResourceInfo) => CelType,
): CelType | undefined {
  if (paramKind === undefined) return undefined;
  const { apiVersion = '', kind } = paramKind;
  const found = resources.find(
    (one) =>
      one.kind === kind &&
      (one.group === '' ? one.version : `${one.group}/${one.version}`) === apiVersion,
  );
  return found === undefined ? undefined : typeOf(found);
}

/** Resources that rules name in full, in the order of group, version and kind. */
function ruledResources(
  { matchConstraints }: ValidatingAdmissionPolicySpec,
  resources: readonly ResourceInfo[],
): readonly ResourceInfo[] {
  const found = new Set<ResourceInfo>();
  for (const rule of matchConstraints?.resourceRules ?? []) {
    const { apiGroups = [], apiVersions = [], resources: names = [] } = rule;
    if ([...apiGroups, ...apiVersions, ...names].some((name) => name.includes('*'))) continue;
    for (const resource of resources) {
      const isNamed =
        apiGroups.includes(resource.group) &&
        apiVersions.includes(resource.version) &&
        names.includes(resource.resource);
      if (isNamed) found.add(resource);
    }
  }
  const keyOf = ({ group, version, kind }: ResourceInfo): string => `${group}/${version}/${kind}`;
  return [...found].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, maxKinds);
}
