import { parseArgs } from 'node:util';

import { K3tsError } from '#base/errors.ts';
import type { Flag, FlagValue, FlagValues } from './flag.ts';

/** Flag texts by name in the order given; `true` for a boolean flag without a value. */
export type RawFlags = ReadonlyMap<string, readonly (string | true)[]>;

export interface CommandLine {
  readonly raw: RawFlags;
  readonly positionals: readonly string[];
}

/** Splits arguments into flags and the rest; throws `Usage` for an unknown flag or a missing value. */
export function parseArguments(flags: readonly Flag[], args: readonly string[]): CommandLine {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const { tokens } = parseArgs({
    args: withTwoDashes(flags, args),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      flags.map((flag) => [
        flag.name,
        {
          type: flag.type === 'boolean' ? ('boolean' as const) : ('string' as const),
          multiple: true,
          ...(flag.short === undefined ? {} : { short: flag.short }),
        },
      ]),
    ),
  });
  const raw = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = byName.get(token.name);
    if (flag === undefined) {
      throw new K3tsError('Usage', `flag provided but not defined: ${token.rawName}`);
    }
    if (flag.type !== 'boolean' && token.value === undefined) {
      throw new K3tsError('Usage', `flag needs an argument: ${token.rawName}`);
    }
    const texts = raw.get(flag.name) ?? [];
    texts.push(token.value ?? true);
    raw.set(flag.name, texts);
  }
  return { raw, positionals };
}

/** k3s takes `-token x` and `-d=/data` too, as Go's flags do; the values of flags stay as they are. */
function withTwoDashes(flags: readonly Flag[], args: readonly string[]): string[] {
  const byWord = new Map(flags.map((flag) => [flag.name, flag]));
  for (const flag of flags) if (flag.short !== undefined) byWord.set(flag.short, flag);
  const result: string[] = [];
  let isValue = false;
  for (const [index, arg] of args.entries()) {
    if (arg === '--' && !isValue) return [...result, ...args.slice(index)];
    const [, dashes = '', word = '', value = ''] = /^(--?)([^-=][^=]*)(=.*)?$/s.exec(arg) ?? [];
    const flag: Flag | undefined = isValue ? undefined : byWord.get(word);
    // What the parser reads alike stays as it was given, for its messages.
    const isPlain = dashes === '--' || (word.length === 1 && value === '');
    result.push(flag === undefined || isPlain ? arg : `--${flag.name}${value}`);
    isValue = flag !== undefined && flag.type !== 'boolean' && value === '';
  }
  return result;
}

/**
 * Values in k3s' order of strength: command line, config file, environment, default. A list on the
 * command line replaces the file's. Throws `Usage` for a text of the wrong type.
 */
export function resolveFlags(
  flags: readonly Flag[],
  sources: {
    commandLine: RawFlags;
    configFile: RawFlags;
    environment: Readonly<Record<string, string | undefined>>;
  },
): { values: FlagValues; given: ReadonlySet<string> } {
  const values = new Map<string, FlagValue>();
  const given = new Set<string>();
  for (const flag of flags) {
    const fromEnvironment = flag.env === undefined ? undefined : sources.environment[flag.env];
    const texts =
      sources.commandLine.get(flag.name) ??
      sources.configFile.get(flag.name) ??
      (fromEnvironment === undefined || fromEnvironment === '' ? undefined : [fromEnvironment]);
    if (texts === undefined) {
      if (flag.default !== undefined) values.set(flag.name, flag.default);
      continue;
    }
    given.add(flag.name);
    values.set(flag.name, readValue(flag, texts));
  }
  return { values, given };
}

function readValue(flag: Flag, texts: readonly (string | true)[]): FlagValue {
  const last = texts.at(-1) ?? '';
  const invalid = (kind: string): K3tsError =>
    new K3tsError(
      'Usage',
      `invalid value ${JSON.stringify(last)} for flag --${flag.name}: ${kind}`,
    );
  switch (flag.type) {
    case 'boolean':
      if (last === true || /^(1|t|true)$/i.test(last)) return true;
      if (/^(0|f|false)$/i.test(last)) return false;
      throw invalid('true or false expected');
    case 'integer':
      if (typeof last !== 'string' || !/^-?\d+$/.test(last)) throw invalid('a number expected');
      return Number(last);
    case 'list':
      if (flag.keepsCommas === true) return texts.map(String).filter((text) => text !== '');
      return texts.flatMap((text) => String(text).split(',')).filter((text) => text !== '');
    case 'string':
      return String(last);
  }
}

/** Refuses what k3ts knows of but has not built yet; never ignores it in silence. */
export function refuseNotBuilt(
  flags: readonly Flag[],
  values: FlagValues,
  given: ReadonlySet<string>,
): void {
  for (const flag of flags) {
    if (flag.notBuilt !== true || !given.has(flag.name)) continue;
    const value = values.get(flag.name);
    if (value === false || (Array.isArray(value) && value.length === 0)) continue;
    if (flag.builtValues?.includes(String(value)) === true) continue;
    const supported =
      flag.builtValues === undefined ? '' : `; supported values: ${flag.builtValues.join(', ')}`;
    throw new K3tsError(
      'NotBuilt',
      `--${flag.name}${flag.type === 'boolean' ? '' : `=${String(value)}`} is not built into k3ts yet${supported}`,
    );
  }
}
