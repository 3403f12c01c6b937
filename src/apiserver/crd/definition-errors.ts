import { messageOf } from '#base/errors.ts';
import type { FieldError } from '#schema/mod.ts';
import type { SchemaFieldPath, Structural } from '#schema/structural/mod.ts';
import {
  conformEmbedded,
  hasDefault,
  parseStructural,
  pruneObject,
  validateEmbedded,
  validateSchema,
} from '#schema/structural/mod.ts';
import { renderValue } from '#schema/validation/mod.ts';
import { jsonEqual } from '#schema/patch/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import { checkDefaultByRules, checkDefinitionRules } from './rules/mod.ts';
import { changedSchemas } from './schema-places.ts';
import { selectableFieldErrors } from './selectable-field-errors.ts';

/**
 * What is wrong with a definition that is sound on its surface: defaults that the schema would not
 * take, rules in CEL, selectable fields that are none. Schemas that did not change are not looked
 * at again.
 */
export function definitionErrors(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  // it is asked for whatever else is wrong
  if ((definition.spec as Partial<CustomResourceDefinition['spec']>).versions === undefined) {
    return errors;
  }
  for (const { schema, path } of changedSchemas(definition, old)) {
    const parsed = parseStructural(schema);
    const found = defaultErrors(parsed, path);
    if (parsed.hasRules) found.push(...checkDefinitionRules(parsed, path));
    errors.push(...found);
  }
  errors.push(...selectableFieldErrors(definition));
  return errors;
}

function defaultErrors(schema: Structural, path: SchemaFieldPath): FieldError[] {
  const errors: FieldError[] = [];
  visit(errors, schema, path);
  return errors;
}

function visit(errors: FieldError[], node: Structural, path: SchemaFieldPath): void {
  if (hasDefault(node)) checkDefault(errors, node, path.child('default'));
  if (!node.hasDefaults) return;
  for (const [name, property] of node.properties ?? []) {
    visit(errors, property, path.child('properties').key(name));
  }
  if (node.items !== undefined) visit(errors, node.items, path.child('items'));
  if (typeof node.additional === 'object') {
    visit(errors, node.additional, path.child('additionalProperties'));
  }
}

function checkDefault(errors: FieldError[], node: Structural, path: SchemaFieldPath): void {
  const value = node.defaultValue;
  if (typeof value === 'object' && value !== null) {
    // in a wrapper, since pruning spares the root of a resource
    const wrapper = { value };
    const schema = parseStructural({ type: 'object', properties: { value: node.raw } });
    if (!jsonEqual(pruneObject(wrapper, schema), wrapper)) {
      const message = `Invalid value: ${renderValue(value)}: must not have unknown fields`;
      errors.push({ type: 'FieldValueInvalid', field: path.toString(), message });
    }
  }
  // each is looked for only where those before found nothing
  const found =
    [
      () => metadataErrors(value, node, path),
      () => validateSchema(value, node, path),
      () => checkDefaultByRules(node, path),
    ]
      .values()
      .map((check) => check())
      .find(({ length }) => length > 0) ?? [];
  errors.push(...found);
}

/** What is wrong with the metadata of embedded resources. */
function metadataErrors(value: unknown, node: Structural, path: SchemaFieldPath): FieldError[] {
  try {
    conformEmbedded(value, node, () => undefined);
  } catch (error) {
    // a place in the value, and what is wrong there
    const text = messageOf(error);
    const end = text.indexOf(': ');
    const field = path.child(text.slice(0, end)).toString();
    return [{ type: 'FieldValueInvalid', field, message: text.slice(end + 2) }];
  }
  return validateEmbedded(value, node, path);
}
