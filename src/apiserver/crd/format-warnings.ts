import type { Structural } from '#schema/structural/mod.ts';
import { isKnownFormat, isRawSchema, parseStructural } from '#schema/structural/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import { changedSchemas } from './schema-places.ts';

/** Formats that values are not checked for; on an update only those that were not there before. */
export function formatWarnings(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly string[] {
  const changed = changedSchemas(definition, old);
  if (changed.length === 0) return [];
  const before = new Set<string>();
  for (const { schema } of old?.spec.versions ?? []) {
    const raw = schema?.openAPIV3Schema;
    if (isRawSchema(raw)) collect(before, parseStructural(raw));
  }
  const found = new Set<string>();
  for (const { schema } of changed) collect(found, parseStructural(schema));
  return [...found]
    .filter((format) => !before.has(format))
    .toSorted()
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function collect(found: Set<string>, node: Structural): void {
  const { format, types, items, additional, properties } = node;
  if (format !== undefined && !isKnownFormat(types.length === 1 ? types[0] : undefined, format)) {
    found.add(format);
  }
  for (const property of properties?.values() ?? []) collect(found, property);
  if (items !== undefined) collect(found, items);
  if (typeof additional === 'object') collect(found, additional);
}
