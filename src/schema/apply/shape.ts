import type { LookedUpType, TypeLookup } from '../patch/type-lookup.ts';
import type { FieldInfo, ValueInfo } from '../type-table/field-info.ts';

/**
 * How values of a type are owned. `leaf` as a whole; `deduced` by what is found: objects key by
 * key, all else as a whole; `skipped` by nobody.
 */
export type Shape =
  | { readonly kind: 'deduced' | 'skipped' }
  | LeafShape
  | SetShape
  | { readonly kind: 'map'; readonly value: Shape }
  | StructShape
  | ListMapShape;

export interface LeafShape {
  readonly kind: 'leaf';
  /** What a value has to be, where that is known. */
  readonly holds?: 'string' | 'numeric' | 'boolean' | 'list' | 'map';
}

/** A list of scalars, each one owned by its value. */
export interface SetShape {
  readonly kind: 'set';
}

export interface StructShape {
  readonly kind: 'struct';
  /** Fields that the type does not know are kept. */
  readonly isOpen: boolean;
  field(name: string): FieldShape | undefined;
}

export interface ListMapShape {
  readonly kind: 'list-map';
  /** In the order in which they stand in a path element. */
  readonly keys: readonly ListKey[];
  readonly item: Shape;
}

export interface ListKey {
  readonly name: string;
  readonly defaultValue: unknown;
}

export interface FieldShape {
  /** The element of this field in a path: f:name. */
  readonly element: string;
  readonly shape: Shape;
  /** Held by value in Go: absent and zero are the same, and an absent struct is an empty one. */
  readonly isValue: boolean;
  /** A zero scalar is written all the same. */
  readonly isAlwaysWritten: boolean;
}

export const leafShape: Shape = { kind: 'leaf' };
const listLeaf: Shape = { kind: 'leaf', holds: 'list' };
const mapLeaf: Shape = { kind: 'leaf', holds: 'map' };
const scalarLeaves: Readonly<Record<string, Shape>> = {
  string: { kind: 'leaf', holds: 'string' },
  byte: { kind: 'leaf', holds: 'string' },
  int32: { kind: 'leaf', holds: 'numeric' },
  int64: { kind: 'leaf', holds: 'numeric' },
  double: { kind: 'leaf', holds: 'numeric' },
  bool: { kind: 'leaf', holds: 'boolean' },
};
export const deducedShape: Shape = { kind: 'deduced' };
const skippedShape: Shape = { kind: 'skipped' };
const setShape: Shape = { kind: 'set' };

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** What the system writes; nobody owns it. */
const systemFields: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** The shapes of one table of types, each compiled on first use. */
export class ShapeTable {
  readonly #types: TypeLookup;
  readonly #structs = new Map<string, StructShape>();
  readonly #roots = new Map<string, StructShape>();

  constructor(types: TypeLookup) {
    this.#types = types;
  }

  /** The shape of whole objects of a type; an unknown type is a custom resource without schema. */
  root(typeName: string): StructShape {
    let root = this.#roots.get(typeName);
    if (root === undefined) {
      root = this.#createRoot(typeName);
      this.#roots.set(typeName, root);
    }
    return root;
  }

  #createRoot(typeName: string): StructShape {
    const type = this.#types.type(typeName);
    const own = type === undefined ? undefined : this.#struct(typeName, type);
    const fixed = new Map<string, FieldShape>([
      ['apiVersion', fieldShape('apiVersion', skippedShape)],
      ['kind', fieldShape('kind', skippedShape)],
      ['metadata', { ...fieldShape('metadata', this.#metadata()), isValue: true }],
    ]);
    const isOpen = own?.isOpen !== false;
    return { kind: 'struct', isOpen, field: (name) => fixed.get(name) ?? own?.field(name) };
  }

  #metadata(): Shape {
    const type = this.#types.type(objectMeta);
    if (type === undefined) return deducedShape;
    const own = this.#struct(objectMeta, type);
    const skipped = fieldShape('', skippedShape);
    return {
      kind: 'struct',
      isOpen: own.isOpen,
      field: (name) => (systemFields.has(name) ? skipped : own.field(name)),
    };
  }

  #struct(typeName: string, type: LookedUpType): StructShape {
    const known = this.#structs.get(typeName);
    if (known !== undefined) return known;
    const fields = new Map<string, FieldShape>();
    const struct: StructShape = {
      kind: 'struct',
      isOpen: type.isOpen ?? type.fields.size === 0,
      field: (name) => {
        const seen = fields.get(name);
        if (seen !== undefined) return seen;
        const info = type.fields.get(name);
        if (info === undefined) return undefined;
        const field: FieldShape = {
          element: `f:${name}`,
          shape: this.#ofField(info),
          isValue: !info.isPointer,
          isAlwaysWritten: info.required,
        };
        fields.set(name, field);
        return field;
      },
    };
    this.#structs.set(typeName, struct);
    return struct;
  }

  #ofField(field: FieldInfo): Shape {
    if (field.kind === 'struct') {
      return field.structType === 'atomic' ? mapLeaf : this.#ofType(field.typeName);
    }
    if (field.kind === 'map') {
      if (field.mapType === 'atomic') return mapLeaf;
      return { kind: 'map', value: this.#ofElement(field.element) };
    }
    if (field.kind !== 'list') return scalarLeaves[field.scalar ?? ''] ?? leafShape;
    if (field.listType === 'atomic') return listLeaf;
    if (field.listType === 'set') return setShape;
    return this.#listMap(field);
  }

  #listMap(field: FieldInfo): Shape {
    const type = this.#types.type(field.element?.typeName ?? '');
    const keys = [...field.listMapKeys].toSorted().map((name) => ({
      name,
      defaultValue: type?.fields.get(name)?.defaultValue,
    }));
    if (keys.length === 0) return listLeaf;
    return { kind: 'list-map', keys, item: this.#ofElement(field.element) };
  }

  /** Items of lists and values of maps carry no markers of their own. */
  #ofElement(value: ValueInfo | undefined): Shape {
    if (value?.kind === 'struct') {
      const type = this.#types.type(value.typeName ?? '');
      return type?.structType === 'atomic' ? leafShape : this.#ofType(value.typeName);
    }
    if (value?.kind === 'map') return { kind: 'map', value: this.#ofElement(value.element) };
    if (value?.kind === 'list') return listLeaf;
    return scalarLeaves[value?.scalar ?? ''] ?? leafShape;
  }

  #ofType(typeName: string | undefined): Shape {
    const type = this.#types.type(typeName ?? '');
    return type === undefined ? deducedShape : this.#struct(typeName ?? '', type);
  }
}

function fieldShape(name: string, shape: Shape): FieldShape {
  return { element: `f:${name}`, shape, isValue: false, isAlwaysWritten: false };
}

const tables = new WeakMap<TypeLookup, ShapeTable>();

/** The shapes of a table, kept as long as the table is. */
export function shapesOf(types: TypeLookup): ShapeTable {
  let table = tables.get(types);
  if (table === undefined) {
    table = new ShapeTable(types);
    tables.set(types, table);
  }
  return table;
}
