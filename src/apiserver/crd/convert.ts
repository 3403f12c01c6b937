import type { UnknownObject } from '#schema/mod.ts';

/**
 * Turns objects of one definition into another of its versions. Objects that already have the
 * version come back as they are; others as new objects. Rejects with an Error whose message is
 * upstream's.
 */
export interface VersionConverter {
  /** True when nothing but apiVersion changes, and nothing has to be waited for. */
  readonly isTrivial: boolean;
  convert(objects: readonly UnknownObject[], apiVersion: string): Promise<readonly UnknownObject[]>;
}

/** The strategy None: only the name of the version changes. */
export const trivialConverter: VersionConverter = {
  isTrivial: true,
  convert: (objects, apiVersion) =>
    Promise.resolve(objects.map((object) => renamed(object, apiVersion))),
};

export function renamed(object: UnknownObject, apiVersion: string): UnknownObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
