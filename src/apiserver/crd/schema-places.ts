import type { RawSchema, SchemaFieldPath } from '#schema/structural/mod.ts';
import { isRawSchema, rootOfObject } from '#schema/structural/mod.ts';
import { jsonEqual } from '#schema/patch/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';

/** A schema of a definition and where errors about it are reported. */
export interface SchemaPlace {
  readonly schema: RawSchema;
  readonly path: SchemaFieldPath;
}

/**
 * The schemas of a definition that are new or changed. One that all versions have in common is
 * reported once, at the place that upstream's internal form keeps it at.
 */
export function changedSchemas(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): readonly SchemaPlace[] {
  const specPath = rootOfObject.child('spec');
  const schemas = spec.versions.map(({ schema }) => schema?.openAPIV3Schema);
  const [first] = schemas;
  const isShared = schemas.every((schema) => jsonEqual(schema, first));
  const places: SchemaPlace[] = [];
  spec.versions.forEach((version, index) => {
    const schema = schemas[index];
    if (!isRawSchema(schema) || (isShared && index > 0)) return;
    const before = old?.spec.versions.find(({ name }) => name === version.name);
    if (jsonEqual(schema, before?.schema?.openAPIV3Schema)) return;
    const parent = isShared
      ? specPath.child('validation')
      : specPath.child('versions').at(index).child('schema');
    places.push({ schema, path: parent.child('openAPIV3Schema') });
  });
  return places;
}
