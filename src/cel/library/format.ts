/** `format.dns1123Label().validate(name)` and its kin. */
import {
  globalOverload,
  type Library,
  memberOverload,
  type Overload,
} from '../check/declaration.ts';
import { listOf, optionalOf, stringType, structType } from '../check/type.ts';
import { CelList } from '../values/list.ts';
import { CelAbstract, CelOptional } from '../values/value.ts';
import { type NamedFormat, namedFormats } from './named-formats.ts';

const formatType = structType('kubernetes.NamedFormat');

export class FormatValue extends CelAbstract {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly format: NamedFormat;

  constructor(format: NamedFormat) {
    super();
    this.format = format;
  }

  get maxRegexSize(): number {
    return this.format.maxRegexSize;
  }

  equals(other: CelAbstract): boolean {
    return (other as FormatValue).format === this.format;
  }

  toJson(): string {
    return this.format.name;
  }
}

const constants: Library = Object.fromEntries(
  Object.entries(namedFormats).map(([name, format]): [string, Overload[]] => {
    const value = new FormatValue(format);
    const id = `format.${name}`;
    return [id, [globalOverload(id, [], formatType, () => value)]];
  }),
);

function named(name: string): CelOptional {
  const format = Object.hasOwn(namedFormats, name) ? namedFormats[name] : undefined;
  return format === undefined ? CelOptional.none : new CelOptional(new FormatValue(format));
}

export const formatLibrary: Library = {
  ...constants,
  'format.named': [globalOverload('format-named', [stringType], optionalOf(formatType), named)],
  validate: [
    memberOverload(
      'format-validate',
      [formatType, stringType],
      optionalOf(listOf(stringType)),
      ({ format }: FormatValue, text: string) => {
        const errors = format.validate(text);
        return errors.length === 0 ? CelOptional.none : new CelOptional(new CelList(errors));
      },
    ),
  ],
};
