import type { UnknownObject } from '../object.ts';
import { isFields } from '../patch/patch-errors.ts';
import { changesBetween } from './changes.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, leaf } from './fields-v1.ts';
import type { StructShape } from './shape.ts';
import { appliedPaths } from './value-paths.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** What all annotations together may hold. */
const maxBytes = 256 * 1024;

/**
 * Fields that client-side apply set and that still have its values: kubectl may take them from
 * their owners when it changes to server-side apply. Empty when there is nothing to go by.
 */
export function fieldsLastApplied(live: UnknownObject, shape: StructShape): FieldSet {
  const text = live.metadata.annotations?.[annotation];
  if (text === undefined || text === '') return leaf;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return leaf;
    throw error;
  }
  if (!isFields(applied) || applied['apiVersion'] !== live.apiVersion) return leaf;
  const change = changesBetween(applied, live, shape, leaf);
  let fields = appliedPaths(applied, shape);
  if (change?.changed !== undefined) fields = difference(fields, change.changed, false);
  if (change?.removed !== undefined) fields = difference(fields, change.removed, false);
  return fields;
}

/**
 * Keeps the annotation of client-side apply in step when kubectl applies on the server, so that
 * users can go back. Gives the object itself when it has no such annotation.
 */
export function syncLastApplied(object: UnknownObject, applied: UnknownObject): UnknownObject {
  const { annotations } = object.metadata;
  if (annotations?.[annotation] === undefined) return object;
  const { [annotation]: _, ...others } = applied.metadata.annotations ?? {};
  const { annotations: given, ...metadata } = applied.metadata;
  const source = {
    ...applied,
    metadata: { ...metadata, ...(given === undefined ? {} : { annotations: others }) },
  };
  const text = `${JSON.stringify(source, sortKeys)}\n`;
  const value = Buffer.byteLength(text) > maxBytes ? '' : text;
  if (value === annotations[annotation]) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [annotation]: value } },
  };
}

function sortKeys(_key: string, value: unknown): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, value[key]]),
  );
}
