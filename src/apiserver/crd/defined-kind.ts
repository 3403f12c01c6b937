import type { Random } from '#base/random.ts';
import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';
import type { OtherVersions } from '#schema/apply/mod.ts';
import type { TypeLookup } from '#schema/patch/mod.ts';
import type { Structural } from '#schema/structural/mod.ts';
import {
  applySchemaDefaults,
  createTypeLookup,
  isRawSchema,
  parseStructural,
  pruneObject,
} from '#schema/structural/mod.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '#schema/types.ts';
import type { CustomKind, ScalePaths } from '../custom-kind.ts';
import { plainError } from '../api-errors.ts';
import { messageOf } from '#base/errors.ts';
import type { WebhookClient } from '../webhook-client/mod.ts';
import type { ColumnSet } from './columns.ts';
import { createColumns } from './columns.ts';
import { hasCondition } from './conditions.ts';
import type { VersionConverter } from './convert.ts';
import { renamed, trivialConverter } from './convert.ts';
import { decodeCustom } from './decode.ts';
import { deprecationOf } from './deprecation.ts';
import { EntryViews } from './entry-views.ts';
import { storageVersionOf } from './resource-infos.ts';
import { declaredType } from './rules/mod.ts';
import type { KindValidator } from './validate-custom.ts';
import { createKindValidator } from './validate-custom.ts';
import { createWebhookConverter } from './webhook-converter.ts';

export interface DefinedKindOptions {
  readonly definition: CustomResourceDefinition;
  readonly webhooks: WebhookClient;
  readonly random: Random;
}

/** The kinds of all versions of a definition, by version. Schemas are parsed at first use. */
export function createDefinedKinds(
  options: DefinedKindOptions,
): (info: ResourceInfo) => CustomKind {
  const { definition } = options;
  const converter =
    definition.spec.conversion?.strategy === 'Webhook'
      ? createWebhookConverter({ ...options, client: options.webhooks })
      : trivialConverter;
  const schemas = new Map<string, () => Structural | undefined>();
  for (const version of definition.spec.versions) {
    schemas.set(
      version.name,
      lazy(() => schemaOf(version)),
    );
  }
  const otherVersions = converter.isTrivial
    ? undefined
    : createOtherVersions(definition, schemas, converter);
  const storage = storageVersionOf(definition);
  const isTerminating = hasCondition(definition, 'Terminating');
  return (info) =>
    new DefinedKind({
      info,
      version: definition.spec.versions.find(({ name }) => name === info.version),
      schema: schemas.get(info.version) ?? (() => undefined),
      storageSchema: schemas.get(storage) ?? (() => undefined),
      converter,
      otherVersions,
      isTerminating,
      deprecationWarning: deprecationOf(definition, info.version),
      keepsUnknown: definition.spec.preserveUnknownFields === true,
    });
}

function createOtherVersions(
  { spec: { group, preserveUnknownFields } }: CustomResourceDefinition,
  schemas: ReadonlyMap<string, () => Structural | undefined>,
  converter: VersionConverter,
): OtherVersions {
  const lookups = new Map<string, () => TypeLookup>();
  for (const [version, schema] of schemas) {
    const types = lazy(() =>
      createTypeLookup((preserveUnknownFields === true ? undefined : schema()) ?? anything),
    );
    lookups.set(groupVersion({ group, version }), types);
  }
  return {
    types: (apiVersion) => lookups.get(apiVersion)?.(),
    async convert(object, apiVersion) {
      try {
        const [converted] = await converter.convert([object], apiVersion);
        return converted ?? object;
      } catch (error) {
        throw plainError(messageOf(error), error);
      }
    },
  };
}

function schemaOf(version: CustomResourceDefinitionVersion): Structural | undefined {
  const raw = version.schema?.openAPIV3Schema;
  return isRawSchema(raw) ? parseStructural(raw) : undefined;
}

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const noSchema = (): undefined => undefined;
const anything: Structural = parseStructural({
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
});

class DefinedKind implements CustomKind {
  readonly deprecationWarning: string | undefined;
  readonly isTerminating: boolean;
  readonly scale: ScalePaths | undefined;
  readonly otherVersions: OtherVersions | undefined;
  readonly #info: ResourceInfo;
  readonly #version: CustomResourceDefinitionVersion | undefined;
  readonly #validationSchema: () => Structural | undefined;
  /** Prunes and defaults; none where the definition keeps unknown fields, as old ones may. */
  readonly #schema: () => Structural | undefined;
  readonly #storageSchema: () => Structural | undefined;
  readonly #converter: VersionConverter;
  readonly #views: EntryViews;
  readonly #fields: readonly (readonly [field: string, steps: readonly string[]])[];
  #columns: ColumnSet | undefined;
  #types: TypeLookup | undefined;
  #validator: KindValidator | undefined;

  constructor(init: {
    info: ResourceInfo;
    version: CustomResourceDefinitionVersion | undefined;
    schema: () => Structural | undefined;
    storageSchema: () => Structural | undefined;
    converter: VersionConverter;
    otherVersions: OtherVersions | undefined;
    isTerminating: boolean;
    deprecationWarning: string | undefined;
    keepsUnknown: boolean;
  }) {
    this.#info = init.info;
    this.#version = init.version;
    this.#validationSchema = init.schema;
    this.#schema = init.keepsUnknown ? noSchema : init.schema;
    this.#storageSchema = init.keepsUnknown ? noSchema : init.storageSchema;
    this.#converter = init.converter;
    this.otherVersions = init.otherVersions;
    this.isTerminating = init.isTerminating;
    this.deprecationWarning = init.deprecationWarning;
    this.scale = scaleOf(init.version);
    this.#fields = init.info.selectableFields.map((field) => [field, field.split('.')] as const);
    this.#views = new EntryViews({
      of: init.info,
      converter: init.converter,
      polish: (object) => this.withDefaults(this.#pruned(object, this.#schema())),
    });
  }

  get columns(): ColumnSet['columns'] {
    return this.#columnSet().columns;
  }

  cells(object: UnknownObject, nowMs: number): ReturnType<CustomKind['cells']> {
    return this.#columnSet().cells(object, nowMs);
  }

  #columnSet(): ColumnSet {
    return (this.#columns ??= createColumns(this.#version?.additionalPrinterColumns));
  }

  get types(): TypeLookup {
    return (this.#types ??= createTypeLookup(this.#schema() ?? anything));
  }

  celType(): ReturnType<CustomKind['celType']> {
    const schema = this.#schema();
    return schema === undefined ? undefined : declaredType(schema, true)?.type;
  }

  decode(
    object: UnknownObject,
    mode: 'Strict' | 'Warn' | 'Ignore',
    earlier?: readonly string[],
  ): ReturnType<CustomKind['decode']> {
    return decodeCustom(this.#info, this.#schema(), object, mode, earlier);
  }

  withDefaults(object: UnknownObject): UnknownObject {
    const schema = this.#schema();
    return schema === undefined ? object : applySchemaDefaults(object, schema);
  }

  validate(
    object: UnknownObject,
    old: UnknownObject | undefined,
    subresource: string,
  ): ReturnType<CustomKind['validate']> {
    this.#validator ??= createKindValidator(this.#validationSchema(), this.scale);
    return this.#validator.validate(object, old, subresource);
  }

  prepare(entries: Parameters<CustomKind['prepare']>[0]): Promise<void> | undefined {
    return this.#views.prepare(entries);
  }

  objectOf(entry: Parameters<CustomKind['objectOf']>[0]): UnknownObject {
    return this.#views.objectOf(entry);
  }

  bytesOf(entry: Parameters<CustomKind['bytesOf']>[0]): Buffer {
    return this.#views.bytesOf(entry);
  }

  /** Other versions than the stored one never are what is stored: only that one can tell. */
  isStoredAsIs(entry: Parameters<CustomKind['isStoredAsIs']>[0]): boolean {
    const isStorage = this.#info.version === this.#info.storage.version;
    if (isStorage) return this.#views.isSame(entry);
    return entry.object().apiVersion === groupVersion(this.#info.storage);
  }

  fieldsOf(entry: Parameters<CustomKind['fieldsOf']>[0]): Readonly<Record<string, string>> {
    const object = this.#views.objectOf(entry);
    const values: Record<string, string> = {};
    for (const [field, steps] of this.#fields) values[field] = textAt(object, steps);
    return values;
  }

  toStored(object: UnknownObject): UnknownObject | Promise<UnknownObject> {
    const apiVersion = groupVersion(this.#info.storage);
    if (this.#converter.isTrivial || object.apiVersion === apiVersion) {
      return this.#pruned(renamed(object, apiVersion), this.#storageSchema());
    }
    return this.#convertToStored(object, apiVersion);
  }

  async #convertToStored(object: UnknownObject, apiVersion: string): Promise<UnknownObject> {
    try {
      const [converted] = await this.#converter.convert([object], apiVersion);
      return this.#pruned(converted ?? object, this.#storageSchema());
    } catch (error) {
      throw plainError(messageOf(error), error);
    }
  }

  fromVersion(object: UnknownObject): UnknownObject | Promise<UnknownObject> {
    const apiVersion = groupVersion(this.#info);
    if (this.#converter.isTrivial || object.apiVersion === apiVersion) {
      return renamed(object, apiVersion);
    }
    return this.#convertFrom(object, apiVersion);
  }

  async #convertFrom(object: UnknownObject, apiVersion: string): Promise<UnknownObject> {
    try {
      const [converted] = await this.#converter.convert([object], apiVersion);
      return converted ?? object;
    } catch (error) {
      throw plainError(messageOf(error), error);
    }
  }

  #pruned(object: UnknownObject, schema: Structural | undefined): UnknownObject {
    return schema === undefined ? object : pruneObject(object, schema);
  }
}

function scaleOf(version: CustomResourceDefinitionVersion | undefined): ScalePaths | undefined {
  const scale = version?.subresources?.scale;
  if (scale === undefined) return undefined;
  return {
    specReplicas: scale.specReplicasPath,
    statusReplicas: scale.statusReplicasPath,
    labelSelector: scale.labelSelectorPath === '' ? undefined : scale.labelSelectorPath,
  };
}

function textAt(object: unknown, steps: readonly string[]): string {
  let value = object;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Record<string, unknown>)[step];
  }
  return value === undefined || value === null ? '' : String(value);
}
