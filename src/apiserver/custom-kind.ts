import type { CelType } from '#cel/mod.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { Cell, TableColumn } from '#schema/mod.ts';
import type { OtherVersions } from '#schema/apply/mod.ts';
import type { TypeLookup } from '#schema/patch/mod.ts';
import type { CacheEntry } from './cache/mod.ts';

/** Paths of a custom resource's scale, each from the object's root: .spec.replicas. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  readonly labelSelector: string | undefined;
}

/** What is wrong with an object, and what is only to be told. */
export interface CustomFindings {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

/**
 * One version of a kind that a CustomResourceDefinition declares, as the handlers of all verbs need
 * it. Objects of clients come in through `decode`, `withDefaults` and `validate`; objects of the
 * cache are seen through `objectOf` and `bytesOf`, which `prepare` must have made ready.
 */
export interface CustomKind {
  /** Told with each request for a deprecated version. */
  readonly deprecationWarning: string | undefined;
  /** True while the definition is being deleted: nothing may be created any more. */
  readonly isTerminating: boolean;
  /** Types of the schema, for server-side apply and managed fields. */
  readonly types: TypeLookup;
  /** For them to compare fields that versions name differently; undefined when none does. */
  readonly otherVersions: OtherVersions | undefined;
  /** The type that expressions see of a whole object; undefined where the schema says nothing. */
  celType(): CelType | undefined;
  readonly scale: ScalePaths | undefined;
  readonly columns: readonly TableColumn[];
  cells(object: UnknownObject, nowMs: number): Cell[];

  /**
   * Removes what the schema does not know and brings metadata into form. Throws an ApiStatusError
   * BadRequest for what cannot be read and, in mode Strict, for unknown fields; `earlier` are
   * findings made before, such as duplicate fields.
   */
  decode(
    object: UnknownObject,
    mode: 'Strict' | 'Warn' | 'Ignore',
    earlier?: readonly string[],
  ): { object: UnknownObject; warnings: readonly string[] };
  withDefaults(object: UnknownObject): UnknownObject;
  /** By the schema and its rules; metadata is checked elsewhere. `old` is absent on creation. */
  validate(
    object: UnknownObject,
    old: UnknownObject | undefined,
    subresource: string,
  ): CustomFindings;

  /**
   * Makes what objectOf and bytesOf show of these entries, at once for all; undefined when nothing
   * has to be waited for. Rejects with an ApiStatusError when a conversion fails.
   */
  prepare(entries: readonly CacheEntry[]): Promise<void> | undefined;
  /** The object of an entry in this version, shared and read-only. Prepared entries only. */
  objectOf(entry: CacheEntry): UnknownObject;
  bytesOf(entry: CacheEntry): Buffer;
  /** Whether a write of the object as it is would store the same bytes again. */
  isStoredAsIs(entry: CacheEntry): boolean;
  /** Values of selectable fields beside name and namespace. */
  fieldsOf(entry: CacheEntry): Readonly<Record<string, string>>;
  /** The object in the version that is stored. */
  toStored(object: UnknownObject): UnknownObject | Promise<UnknownObject>;
  /** An object of another version of this kind as this version shows it. */
  fromVersion(object: UnknownObject): UnknownObject | Promise<UnknownObject>;
}
