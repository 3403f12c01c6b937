/** Kubernetes' semantic versions (github.com/blang/semver's rules). */
import { globalOverload, type Library, memberOverload } from '../check/declaration.ts';
import { boolType, intType, stringType, structType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { quoteGo } from '../values/go-text.ts';
import { type Int, largestUint, normalInt } from '../values/integers.ts';
import { CelAbstract } from '../values/value.ts';

const semverType = structType('kubernetes.Semver');

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];
  readonly build: readonly string[];
}

function comparePrerelease(a: string, b: string): number {
  const isNumberA = /^\d+$/.test(a);
  const isNumberB = /^\d+$/.test(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  if (isNumberA) return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b));
  return Number(a > b) - Number(a < b);
}

function compare(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] as bigint;
    if (number !== other) return number > other ? 1 : -1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return Number(a.prerelease.length === 0) - Number(b.prerelease.length === 0);
  }
  for (const [index, part] of a.prerelease.entries()) {
    const other = b.prerelease[index];
    if (other === undefined) return 1;
    const order = comparePrerelease(part, other);
    if (order !== 0) return order;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

export class SemverValue extends CelAbstract {
  readonly typeName = 'kubernetes.Semver';
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  equals(other: CelAbstract): boolean {
    return compare(this.version, (other as SemverValue).version) === 0;
  }

  toJson(): string {
    const { numbers, prerelease, build } = this.version;
    const tail = prerelease.length > 0 ? `-${prerelease.join('.')}` : '';
    return `${numbers.join('.')}${tail}${build.length > 0 ? `+${build.join('.')}` : ''}`;
  }
}

function numberPart(name: string, text: string): bigint {
  if (!/^\d+$/.test(text)) {
    throw new CelRuntimeError(`Invalid character(s) found in ${name} number ${quoteGo(text)}`);
  }
  if (text.length > 1 && text.startsWith('0')) {
    throw new CelRuntimeError(`${name} number must not contain leading zeroes ${quoteGo(text)}`);
  }
  const value = text.length > 20 ? largestUint + 1n : BigInt(text);
  if (value > largestUint) {
    throw new CelRuntimeError(`strconv.ParseUint: parsing ${quoteGo(text)}: value out of range`);
  }
  return value;
}

function labels(text: string | undefined, isPrerelease: boolean): string[] {
  if (text === undefined) return [];
  return text.split('.').map((label) => {
    if (label === '') {
      throw new CelRuntimeError(isPrerelease ? 'prerelease is empty' : 'Build meta data is empty');
    }
    if (isPrerelease && /^0\d+$/.test(label)) {
      throw new CelRuntimeError(
        `Numeric PreRelease version must not contain leading zeroes ${quoteGo(label)}`,
      );
    }
    if (!/^[0-9A-Za-z-]+$/.test(label)) {
      const what = isPrerelease ? 'prerelease' : 'build meta data';
      throw new CelRuntimeError(`Invalid character(s) found in ${what} ${quoteGo(label)}`);
    }
    return label;
  });
}

function parse(text: string): Version {
  if (text === '') throw new CelRuntimeError('Version string empty');
  const [major = '', minor, ...rest] = text.split('.');
  if (minor === undefined || rest.length === 0) {
    throw new CelRuntimeError('No Major.Minor.Patch elements found');
  }
  const tail = rest.join('.');
  const plus = tail.indexOf('+');
  const build = plus < 0 ? undefined : tail.slice(plus + 1);
  const core = plus < 0 ? tail : tail.slice(0, plus);
  const dash = core.indexOf('-');
  const prerelease = dash < 0 ? undefined : core.slice(dash + 1);
  const patch = dash < 0 ? core : core.slice(0, dash);
  return {
    numbers: [numberPart('Major', major), numberPart('Minor', minor), numberPart('Patch', patch)],
    prerelease: labels(prerelease, true),
    build: labels(build, false),
  };
}

/** Drops a leading v and zeros, adds missing parts. */
function normalize(text: string): string {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.');
  const parts = [major, ...(minor === undefined ? [] : [minor])];
  if (rest.length > 0) parts.push(rest.join('.'));
  const trimmed = parts.map((part) => {
    if (part.length < 2) return part;
    const bare = part.replace(/^0+/, '');
    return /^\d/.test(bare) ? bare : `0${bare}`;
  });
  if (trimmed.length < 3 && /[+-]/.test(trimmed.at(-1) ?? '')) {
    throw new CelRuntimeError('short version cannot contain PreRelease/Build meta data');
  }
  while (trimmed.length < 3) trimmed.push('0');
  return trimmed.join('.');
}

function semver(text: string, isLenient: unknown): SemverValue {
  return new SemverValue(parse(isLenient === true ? normalize(text) : text));
}

function isSemver(text: string, isLenient: unknown): boolean {
  try {
    semver(text, isLenient);
    return true;
  } catch (error) {
    if (error instanceof CelRuntimeError) return false;
    throw error;
  }
}

const pair = [semverType, semverType];

function number(index: 0 | 1 | 2): (value: SemverValue) => Int {
  return ({ version }) => normalInt(version.numbers[index]);
}

export const semverLibrary: Library = {
  semver: [
    globalOverload('string_to_semver', [stringType], semverType, (text: string) =>
      semver(text, false),
    ),
    globalOverload('string_bool_to_semver', [stringType, boolType], semverType, semver),
  ],
  isSemver: [
    globalOverload('is_semver_string', [stringType], boolType, (text: string) =>
      isSemver(text, false),
    ),
    globalOverload('is_semver_string_bool', [stringType, boolType], boolType, isSemver),
  ],
  isGreaterThan: [
    memberOverload(
      'semver_is_greater_than',
      pair,
      boolType,
      (a: SemverValue, b: SemverValue) => compare(a.version, b.version) > 0,
    ),
  ],
  isLessThan: [
    memberOverload(
      'semver_is_less_than',
      pair,
      boolType,
      (a: SemverValue, b: SemverValue) => compare(a.version, b.version) < 0,
    ),
  ],
  compareTo: [
    memberOverload('semver_compare_to', pair, intType, (a: SemverValue, b: SemverValue) =>
      compare(a.version, b.version),
    ),
  ],
  major: [memberOverload('semver_major', [semverType], intType, number(0))],
  minor: [memberOverload('semver_minor', [semverType], intType, number(1))],
  patch: [memberOverload('semver_patch', [semverType], intType, number(2))],
};
