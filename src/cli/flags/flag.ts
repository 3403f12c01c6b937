/** How a flag's text is read. `list` may be repeated and takes commas, as in k3s. */
export type FlagType = 'string' | 'boolean' | 'integer' | 'list';

/** One flag of a command, under k3s' name. */
export interface Flag {
  readonly name: string;
  readonly type: FlagType;
  readonly short?: string;
  /** Environment variable that sets it when neither command line nor config file does. */
  readonly env?: string;
  readonly default?: string | boolean | number;
  /** What help prints. */
  readonly help: string;
  /** Section of the help text. */
  readonly group: string;
  /** A list whose texts may hold commas of their own: only repeating adds to it. */
  readonly keepsCommas?: boolean;
  /** Known, but without effect yet: giving it ends the command with a clear message. */
  readonly notBuilt?: boolean;
  /** Values of it that do work although others are not built. */
  readonly builtValues?: readonly string[];
  /** Not shown in help. */
  readonly hidden?: boolean;
  /** Known to k3s as gone or doing nothing; accepted with a warning. */
  readonly deprecated?: string;
}

export type FlagValue = string | boolean | number | readonly string[];

/** Values by flag name; a flag without value and default is absent. */
export type FlagValues = ReadonlyMap<string, FlagValue>;

export function stringFlag(values: FlagValues, name: string): string | undefined {
  const value = values.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listFlag(values: FlagValues, name: string): readonly string[] {
  const value = values.get(name);
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

export function booleanFlag(values: FlagValues, name: string): boolean {
  return values.get(name) === true;
}

export function integerFlag(values: FlagValues, name: string): number | undefined {
  const value = values.get(name);
  return typeof value === 'number' ? value : undefined;
}
