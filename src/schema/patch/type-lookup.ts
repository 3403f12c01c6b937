import type { FieldInfo } from '../type-table/field-info.ts';

/** What a type that may come from a custom resource's schema says of its fields. */
export interface LookedUpType {
  readonly fields: ReadonlyMap<string, FieldInfo>;
  readonly structType: 'granular' | 'atomic';
  /** Values may have other fields than these. */
  readonly isOpen?: boolean;
}

/** The part of the type table that patch and apply need; the table itself is one. */
export interface TypeLookup {
  type(typeName: string): LookedUpType | undefined;
}
