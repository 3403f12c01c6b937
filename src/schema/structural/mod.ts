/**
 * Schemas of custom resources: parsed once, then used to prune, default and validate objects, to
 * merge them, and to be validated themselves. Rules in CEL are kept as texts: who compiles them is
 * above this layer. Start reading at structural.ts, then validate.ts.
 */
export { applySchemaDefaults } from './defaults.ts';
export { fieldOfOld, isMap, isSame, itemLookup, unrelated } from './correlation.ts';
export type { FieldPath as SchemaFieldPath } from '../validation/field-path.ts';
export type { ConformedMeta } from './embedded.ts';
export { conformEmbedded, conformMeta, validateEmbedded } from './embedded.ts';
export { isKnownFormat } from './formats.ts';
export { validateListTypes } from './list-types.ts';
export {
  rootPath as rootOfObject,
  statusPath as statusOfObject,
} from '../validation/field-path.ts';
export { pruneObject } from './prune.ts';
export type { RawSchema, Structural, ValidationRule } from './structural.ts';
export { hasDefault, isRawSchema, parseStructural } from './structural.ts';
export { createTypeLookup } from './type-lookup.ts';
export { validateSchema } from './validate.ts';
