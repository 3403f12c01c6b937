import { FieldPath } from '../validation/field-path.ts';

/**
 * A place in a value as upstream's schema checker names it: keys of maps like fields, after a dot.
 * It becomes text only when there is something to say.
 */
export class SchemaPath {
  readonly parent: SchemaPath | undefined;
  readonly step: string | number;

  constructor(parent: SchemaPath | undefined, step: string | number) {
    this.parent = parent;
    this.step = step;
  }

  child(name: string): SchemaPath {
    return new SchemaPath(this, name);
  }

  at(index: number): SchemaPath {
    return new SchemaPath(this, index);
  }

  /** spec.ports[0].name, limits.cpu */
  toString(): string {
    if (this.parent === undefined) return '';
    const before = this.parent.toString();
    if (typeof this.step === 'number') return `${before}[${this.step}]`;
    return before === '' ? this.step : `${before}.${this.step}`;
  }

  /** The same place as a field of an error, below where the value lies. */
  under(at: FieldPath): FieldPath {
    const text = this.toString();
    return text === '' ? at : new FieldPath(at, text);
  }
}
