import { parseDuration } from '#base/duration.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { ArgKind, ArgTable, ComponentArg } from './argument.ts';

type NamesOf<Table extends ArgTable, Kind extends ArgKind> = {
  [Name in keyof Table]: Table[Name]['kind'] extends Kind ? Name : never;
}[keyof Table];

/** The arguments in force: given ones checked, the others at their defaults. */
export interface ComponentArgs<Table extends ArgTable> {
  /** Whether the user gave it. */
  isGiven(name: keyof Table): boolean;
  boolean(name: NamesOf<Table, 'boolean'>): boolean;
  integer(name: NamesOf<Table, 'integer'>): number;
  number(name: NamesOf<Table, 'number'>): number;
  durationMs(name: NamesOf<Table, 'duration'>): number;
  text(name: NamesOf<Table, 'text'>): string;
  /** The value of any argument as it was written, for showing it. */
  textOf(name: keyof Table): string;
  /** Parts between commas of all times that it was given, in order. */
  list(name: NamesOf<Table, 'list'>): readonly string[];
  /** Given ones without effect, for one line in the log. */
  readonly ignored: readonly string[];
}

const trueTexts = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falseTexts = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Reads the values of `--COMPONENT-arg` (`name=value`; a name alone means true, leading dashes are
 * dropped, as in k3s). Throws K3tsError Usage with the component's own text for what is wrong.
 */
export function readComponentArgs<Table extends ArgTable>(
  component: string,
  table: Table,
  texts: readonly string[] = [],
): ComponentArgs<Table> {
  const given = new Map<keyof Table, string[]>();
  for (const text of texts) {
    const bare = text.replace(/^-+/, '');
    const equals = bare.indexOf('=');
    const name = equals < 0 ? bare : bare.slice(0, equals);
    const value = equals < 0 ? 'true' : bare.slice(equals + 1);
    checkArg(component, table, name, value);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return argValues(table, given);
}

function argValues<Table extends ArgTable>(
  table: Table,
  given: ReadonlyMap<keyof Table, readonly string[]>,
): ComponentArgs<Table> {
  const defaultOf = (name: keyof Table): string => table[name]?.default ?? '';
  const textOf = (name: keyof Table): string => given.get(name)?.at(-1) ?? defaultOf(name);
  return {
    isGiven: (name) => given.has(name),
    boolean: (name) => trueTexts.has(textOf(name)),
    integer: (name) => Number(textOf(name)),
    number: (name) => Number(textOf(name)),
    durationMs: (name) => parseDuration(textOf(name)),
    text: textOf,
    textOf: (name) => given.get(name)?.join(',') ?? textOf(name),
    list: (name) => (given.get(name) ?? [defaultOf(name)]).flatMap(splitList),
    ignored: [...given.keys()].map(String).filter((name) => table[name]?.effect === 'ignored'),
  };
}

function checkArg(component: string, table: ArgTable, name: string, value: string): void {
  const arg: ComponentArg | undefined = Object.hasOwn(table, name) ? table[name] : undefined;
  if (arg === undefined) throw usage(`unknown flag: --${name}`);
  if (arg.effect === 'refused') {
    throw usage(`--${component}-arg ${name} has no effect here: ${arg.why ?? ''}`);
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

/** Texts of Go's parsers, as upstream's components print them. */
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
