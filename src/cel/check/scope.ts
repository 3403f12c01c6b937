import type { Type } from './type.ts';

/** Variables in nested scopes; the outermost ones may have dotted names. */
export class Scope {
  readonly #types: ReadonlyMap<string, Type>;
  readonly #parent: Scope | undefined;

  constructor(types: ReadonlyMap<string, Type>, parent?: Scope) {
    this.#types = types;
    this.#parent = parent;
  }

  /** A leading dot asks for the outermost scope. */
  find(name: string): Type | undefined {
    if (name.startsWith('.')) return this.#root().#types.get(name.slice(1));
    return this.#types.get(name) ?? this.#parent?.find(name);
  }

  /** Whether a loop variable hides the outermost scope's name. */
  isLocal(name: string): boolean {
    if (this.#parent === undefined) return false;
    return this.#types.has(name) || this.#parent.isLocal(name);
  }

  #root(): Scope {
    return this.#parent === undefined ? this : this.#parent.#root();
  }
}
