/** A place in an object, as a chain of steps that becomes text only when there is an error. */
export class FieldPath {
  readonly parent: FieldPath | undefined;
  readonly step: string | number;
  readonly isKey: boolean;

  constructor(parent: FieldPath | undefined, step: string | number, isKey = false) {
    this.parent = parent;
    this.step = step;
    this.isKey = isKey;
  }

  /** A field; a dotted name stands for several steps. */
  child(name: string): FieldPath {
    return new FieldPath(this, name);
  }

  /** An item of a list. */
  at(index: number): FieldPath {
    return new FieldPath(this, index);
  }

  /** A value of a map. */
  key(key: string): FieldPath {
    return new FieldPath(this, key, true);
  }

  /** spec.containers[0].resources.limits[cpu] */
  toString(): string {
    const before = this.parent?.toString() ?? '';
    if (this.isKey || typeof this.step === 'number') return `${before}[${this.step}]`;
    return before === '' || this.step === '' ? `${before}${this.step}` : `${before}.${this.step}`;
  }
}

/** The object itself. */
export const rootPath: FieldPath = new FieldPath(undefined, '');
export const metadataPath: FieldPath = rootPath.child('metadata');
export const annotationsPath: FieldPath = metadataPath.child('annotations');
export const specPath: FieldPath = rootPath.child('spec');
export const statusPath: FieldPath = rootPath.child('status');
