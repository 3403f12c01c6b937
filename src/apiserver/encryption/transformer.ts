/** Turns values of one kind into what is stored, and back. Synchronous: writes are made in order. */
export interface Transformer {
  /** What stored values of this way of writing start with; '' for plain ones. */
  readonly prefix: string;
  /** `key` is the storage key: some providers tie the value to it. */
  seal(value: Buffer, key: string): Buffer;
  /** Throws an Error with upstream's text when the value cannot be read with these keys. */
  open(stored: Buffer, key: string): Buffer;
  /**
   * Gets ready to open the value; undefined when nothing has to be waited for. Never rejects:
   * `open` then says what is wrong.
   */
  prepare?(stored: Buffer): Promise<void> | undefined;
  /** Throws when nothing can be sealed now. */
  checkWritable?(): void;
  /** What tells a value that should be written anew; the prefix where it is absent. */
  readonly form?: string;
  formOf?(stored: Buffer): string;
}

/** All sealed values start with this; nothing that is stored in the plain does. */
export const sealedPrefix = 'k8s:enc:';

export function isSealed(value: Buffer): boolean {
  return value[0] === 0x6b && value.subarray(0, sealedPrefix.length).toString() === sealedPrefix;
}

/** The prefix up to and with the name of the key: `k8s:enc:aescbc:v1:key1:`. */
export function prefixOf(stored: Buffer): string {
  if (!isSealed(stored)) return '';
  let colons = 0;
  for (let i = 0; i < stored.length; i++) {
    if (stored[i] === 0x3a && ++colons === 5) return stored.subarray(0, i + 1).toString();
  }
  return stored.toString();
}

/** Stores values as they are. */
export const identityTransformer: Transformer = {
  prefix: '',
  seal: (value) => value,
  open(stored) {
    if (isSealed(stored)) throw new Error('identity transformer tried to read encrypted data');
    return stored;
  },
};

/** Writes with the first transformer, reads with the one whose prefix the value has. */
export function joinTransformers(
  transformers: readonly Transformer[],
  providers: ReadonlyMap<string, string>,
): Transformer {
  const [first = identityTransformer] = transformers;
  const byPrefix = new Map(transformers.map((one) => [one.prefix, one]));
  return {
    prefix: first.prefix,
    get form() {
      return first.form ?? first.prefix;
    },
    formOf(stored) {
      const prefix = prefixOf(stored);
      return byPrefix.get(prefix)?.formOf?.(stored) ?? prefix;
    },
    prepare: (stored) => byPrefix.get(prefixOf(stored))?.prepare?.(stored),
    checkWritable: () => first.checkWritable?.(),
    seal: (value, key) => first.seal(value, key),
    open(stored, key) {
      const prefix = prefixOf(stored);
      const found = byPrefix.get(prefix);
      if (found !== undefined) return found.open(stored, key);
      const provider = [...providers].find(([start]) => prefix.startsWith(start));
      if (provider !== undefined && prefix !== '') {
        throw new Error(`no matching key was found for the provided ${provider[1]} transformer`);
      }
      if (prefix !== '' && byPrefix.has('')) return identityTransformer.open(stored, key);
      throw new Error('no matching prefix found');
    },
  };
}
