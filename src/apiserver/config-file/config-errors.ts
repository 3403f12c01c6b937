/** Gathers what is wrong with a configuration file, one line each in the words of field errors. */
export class ConfigErrors {
  readonly lines: string[] = [];

  required(path: string, detail = ''): void {
    this.#add(path, 'Required value', detail);
  }

  invalid(path: string, value: unknown, detail: string): void {
    this.#add(path, `Invalid value: ${JSON.stringify(value)}`, detail);
  }

  duplicate(path: string, value: string): void {
    this.#add(path, `Duplicate value: ${JSON.stringify(value)}`, '');
  }

  unsupported(path: string, value: string, known: readonly string[]): void {
    const list = known.map((one) => JSON.stringify(one)).join(', ');
    this.#add(path, `Unsupported value: ${JSON.stringify(value)}`, `supported values: ${list}`);
  }

  tooMany(path: string, count: number, most: number): void {
    this.#add(path, `Too many: ${count}`, `must have at most ${most} items`);
  }

  /** Throws an Error with all of them, as upstream joins them. */
  check(what: string): void {
    const [first] = this.lines;
    if (first === undefined) return;
    const text = this.lines.length === 1 ? first : `[${this.lines.join(', ')}]`;
    throw new Error(`${what}: ${text}`);
  }

  #add(path: string, kind: string, detail: string): void {
    this.lines.push(`${path}: ${kind}${detail === '' ? '' : `: ${detail}`}`);
  }
}
