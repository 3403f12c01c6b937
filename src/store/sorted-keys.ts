/** Sorts after every key that starts with the prefix it is appended to. */
export const lastCharacter = '\u{10ffff}';

/** Where keys in a block begin to be split; a block holds at most this many. */
const maxBlockSize = 512;

/**
 * Order of the keys' UTF-8 bytes. UTF-16 code units sort the same, except that surrogates (which
 * stand for characters above U+FFFF) must come last.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return weightOf(left) - weightOf(right);
  }
  return a.length - b.length;
}

function weightOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The first key that a list of `prefix` may give when it goes on after `after` ('' for none). */
export function rangeStart(prefix: string, after: string): string {
  return after !== '' && compareKeys(after, prefix) >= 0 ? `${after}\0` : prefix;
}

/** An ordered set of keys that counts ranges without walking them: sorted blocks of keys. */
export class SortedKeys {
  #blocks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Replaces the content by keys that are already in order and distinct. */
  load(keys: readonly string[]): void {
    this.#blocks = [];
    const step = maxBlockSize / 2;
    for (let i = 0; i < keys.length; i += step) this.#blocks.push(keys.slice(i, i + step));
    this.#size = keys.length;
  }

  add(key: string): void {
    const at = Math.min(this.#blockOf(key), this.#blocks.length - 1);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([key]);
      this.#size = 1;
      return;
    }
    const index = lowerBound(block, key);
    if (block[index] === key) return;
    block.splice(index, 0, key);
    this.#size++;
    if (block.length > maxBlockSize) {
      this.#blocks.splice(at + 1, 0, block.splice(maxBlockSize / 2));
    }
  }

  delete(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return;
    const index = lowerBound(block, key);
    if (block[index] !== key) return;
    block.splice(index, 1);
    this.#size--;
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** Keys under `prefix` and after `after`, at most `limit`, with the number left behind them. */
  range(prefix: string, after: string, limit: number): { keys: string[]; remaining: number } {
    const start = rangeStart(prefix, after);
    const total = this.#countBefore(prefix + lastCharacter) - this.#countBefore(start);
    const wanted = Math.max(0, Math.min(limit, total));
    const keys: string[] = [];
    let at = this.#blockOf(start);
    let index = at < this.#blocks.length ? lowerBound(this.#blocks[at]!, start) : 0;
    while (keys.length < wanted) {
      const block = this.#blocks[at++]!;
      const end = Math.min(block.length, index + wanted - keys.length);
      for (; index < end; index++) keys.push(block[index]!);
      index = 0;
    }
    return { keys, remaining: Math.max(0, total - keys.length) };
  }

  count(prefix: string): number {
    return this.#countBefore(prefix + lastCharacter) - this.#countBefore(prefix);
  }

  #countBefore(key: string): number {
    const at = this.#blockOf(key);
    let count = 0;
    for (let i = 0; i < at; i++) count += this.#blocks[i]!.length;
    return at < this.#blocks.length ? count + lowerBound(this.#blocks[at]!, key) : count;
  }

  /** The first block whose last key is not before `key`; the number of blocks when none is. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#blocks[middle]!.at(-1)!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(block: readonly string[], key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(block[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
