import type { CacheEntry } from './entry.ts';

/** Requirements on labels or on fields, as #schema/selectors makes them. */
export interface Selector {
  readonly isEmpty: boolean;
  matches(values: Readonly<Record<string, string>>): boolean;
}

/** Which entries of a kind a request is about. Empty strings stand for all. */
export interface SelectionInit {
  namespace?: string | undefined;
  name?: string | undefined;
  labels?: Selector | undefined;
  fields?: Selector | undefined;
  /** Fields that must equal a value, taken out of `fields` so that watchers can be indexed. */
  exactFields?: Readonly<Record<string, string>> | undefined;
  /** Reads the fields of an entry beside name and namespace; those of its record when absent. */
  fieldsOf?: ((entry: CacheEntry) => Readonly<Record<string, string>>) | undefined;
}

/** A compiled choice of entries that works on index records alone. */
export class Selection {
  readonly namespace: string;
  readonly name: string;
  readonly exactFields: Readonly<Record<string, string>>;
  readonly #labels: Selector | undefined;
  readonly #fields: Selector | undefined;
  readonly #fieldsOf: (entry: CacheEntry) => Readonly<Record<string, string>>;

  constructor(init: SelectionInit = {}) {
    this.namespace = init.namespace ?? '';
    this.name = init.name ?? '';
    this.exactFields = init.exactFields ?? {};
    this.#labels = init.labels === undefined || init.labels.isEmpty ? undefined : init.labels;
    this.#fieldsOf = init.fieldsOf ?? recordedFields;
    this.#fields = init.fields === undefined || init.fields.isEmpty ? undefined : init.fields;
  }

  /** True when only the namespace, if anything, narrows the choice. */
  get isPlain(): boolean {
    return this.name === '' && this.#labels === undefined && this.#fields === undefined;
  }

  /** True when the key of an object alone decides, in all its states. */
  get isByKey(): boolean {
    return this.#labels === undefined && this.#fields === undefined;
  }

  matches(entry: CacheEntry): boolean {
    if (this.namespace !== '' && entry.namespace !== this.namespace) return false;
    if (this.name !== '' && entry.name !== this.name) return false;
    if (this.#labels !== undefined && !this.#labels.matches(entry.labels)) return false;
    return (
      this.#fields === undefined || this.#fields.matches(valuesOf(entry, this.#fieldsOf(entry)))
    );
  }
}

const recordedFields = (entry: CacheEntry): Readonly<Record<string, string>> => entry.fields;

function valuesOf(
  entry: CacheEntry,
  fields: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    'metadata.name': entry.name,
    'metadata.namespace': entry.namespace,
    ...fields,
  };
}
