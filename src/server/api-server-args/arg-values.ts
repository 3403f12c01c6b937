import { parseDuration } from '#base/duration.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { accessArgs } from './access-args.ts';
import { admissionArgs } from './admission-args.ts';
import type { ApiServerArg, ArgKind } from './argument.ts';
import { networkArgs } from './network-args.ts';
import { operationArgs } from './operation-args.ts';

/** Every flag of kube-apiserver that `--kube-apiserver-arg` may name. */
export const apiServerArgTable = {
  ...operationArgs,
  ...networkArgs,
  ...accessArgs,
  ...admissionArgs,
} as const;

type Table = typeof apiServerArgTable;
type NamesOf<Kind extends ArgKind> = {
  [Name in keyof Table]: Table[Name]['kind'] extends Kind ? Name : never;
}[keyof Table];

/** The arguments in force: given ones checked, the others at their defaults. */
export interface ApiServerArgs {
  /** Whether the user gave it. */
  isGiven(name: keyof Table): boolean;
  boolean(name: NamesOf<'boolean'>): boolean;
  integer(name: NamesOf<'integer'>): number;
  number(name: NamesOf<'number'>): number;
  durationMs(name: NamesOf<'duration'>): number;
  text(name: NamesOf<'text'>): string;
  /** The value of any argument as it was written, for showing it. */
  textOf(name: keyof Table): string;
  /** Parts between commas of all times that it was given, in order. */
  list(name: NamesOf<'list'>): readonly string[];
  /** Given ones without effect, for one line in the log. */
  readonly ignored: readonly string[];
}

const trueTexts = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falseTexts = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Reads the values of `--kube-apiserver-arg` (`name=value`; a name alone means true, leading dashes
 * are dropped, as in k3s). Throws K3tsError Usage with kube-apiserver's text for what is wrong.
 */
export function readApiServerArgs(texts: readonly string[] = []): ApiServerArgs {
  const given = new Map<string, string[]>();
  for (const text of texts) {
    const bare = text.replace(/^-+/, '');
    const equals = bare.indexOf('=');
    const name = equals < 0 ? bare : bare.slice(0, equals);
    const value = equals < 0 ? 'true' : bare.slice(equals + 1);
    checkArg(name, value);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return argValues(given);
}

function argValues(given: ReadonlyMap<string, readonly string[]>): ApiServerArgs {
  const textOf = (name: keyof Table): string =>
    given.get(name)?.at(-1) ?? apiServerArgTable[name].default;
  return {
    isGiven: (name) => given.has(name),
    boolean: (name) => trueTexts.has(textOf(name)),
    integer: (name) => Number(textOf(name)),
    number: (name) => Number(textOf(name)),
    durationMs: (name) => parseDuration(textOf(name)),
    text: textOf,
    textOf: (name) => given.get(name)?.join(',') ?? textOf(name),
    list: (name) => (given.get(name) ?? [apiServerArgTable[name].default]).flatMap(splitList),
    ignored: [...given.keys()].filter((name) => findArg(name)?.effect === 'ignored'),
  };
}

function findArg(name: string): ApiServerArg | undefined {
  return Object.hasOwn(apiServerArgTable, name)
    ? apiServerArgTable[name as keyof Table]
    : undefined;
}

function checkArg(name: string, value: string): void {
  const arg = findArg(name);
  if (arg === undefined) throw usage(`unknown flag: --${name}`);
  if (arg.effect === 'refused') {
    throw usage(`--kube-apiserver-arg ${name} has no effect here: ${arg.why ?? ''}`);
  }
  const problem = kindProblem(arg.kind, value);
  if (problem !== undefined) {
    const shown = JSON.stringify(value);
    throw usage(`invalid argument ${shown} for "--${name}" flag: ${problem}`);
  }
  const parts = arg.kind === 'list' ? splitList(value) : [value];
  for (const part of parts) {
    const wrong = arg.check?.(part);
    if (wrong !== undefined) throw usage(`--${name}: ${wrong}`);
  }
}

/** Texts of Go's parsers, as kube-apiserver prints them. */
function kindProblem(kind: ArgKind, value: string): string | undefined {
  const syntax = (parser: string): string =>
    `strconv.${parser}: parsing ${JSON.stringify(value)}: invalid syntax`;
  switch (kind) {
    case 'boolean':
      return trueTexts.has(value) || falseTexts.has(value) ? undefined : syntax('ParseBool');
    case 'integer':
      return /^[+-]?[0-9]+$/.test(value) ? undefined : syntax('ParseInt');
    case 'number':
      return value !== '' && Number.isFinite(Number(value)) ? undefined : syntax('ParseFloat');
    case 'duration':
      try {
        parseDuration(value);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    case 'text':
    case 'list':
      return undefined;
  }
}

function splitList(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

function usage(text: string): K3tsError {
  return new K3tsError('Usage', text);
}
