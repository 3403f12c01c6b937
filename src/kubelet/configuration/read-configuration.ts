import { readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { flagName } from './field.ts';
import { fieldsByFlag, findField } from './field-table.ts';
import { processFlags } from './process-flags.ts';
import { mergeFields, readConfigurationText } from './read-file.ts';
import type { FieldValues } from './read-file.ts';
import { flagProblem, readFlagValue } from './read-flag.ts';
import { configurationProblems } from './validate.ts';

/** What a user set of KubeletConfiguration; plain data that can be handed to another process. */
export interface KubeletConfiguration {
  /** Fields that were set, by name; the others are at their defaults. */
  readonly given: FieldValues;
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Names of what was given and has no effect; for one line in the log. */
  readonly ignored: readonly string[];
}

/**
 * Reads `--kubelet-arg` (`name=value`; a name alone means true) and the files that they name. Flags
 * win over drop-ins (`*.conf` in order of their names), drop-ins over the file. Throws K3tsError
 * Usage with upstream's text.
 */
export async function readKubeletConfiguration(options: {
  args: readonly string[];
  /** Read when it exists and `--kubelet-arg=config-dir` names no other. */
  dropInDirectory: string;
}): Promise<KubeletConfiguration> {
  const flags = options.args.map(splitArg);
  const last = (name: string): string | undefined => flags.findLast(([flag]) => flag === name)?.[1];
  let given: FieldValues = {};
  const file = last('config');
  if (file !== undefined && file !== '') given = await readFileFields(file);
  const directory = last('config-dir');
  for (const path of await dropIns(directory ?? options.dropInDirectory, directory !== undefined)) {
    given = mergeFields(given, await readFileFields(path));
  }
  const { fields, nodeLabels, ignored } = readFlags(flags);
  given = { ...given, ...fields };
  refuseOthers(given, new Set(Object.keys(fields)));
  const problems = configurationProblems(given);
  if (problems.length > 0) {
    const text = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
    throw usage(`failed to validate kubelet configuration, error: ${text}, path: ${file ?? ''}`);
  }
  const idle = Object.keys(given).filter((name) => findField(name)?.effect === 'ignored');
  return { given, nodeLabels, ignored: [...ignored, ...idle] };
}

function splitArg(text: string): [string, string] {
  const bare = text.replace(/^-+/, '');
  const equals = bare.indexOf('=');
  return equals < 0 ? [bare, 'true'] : [bare.slice(0, equals), bare.slice(equals + 1)];
}

function readFlags(flags: readonly [string, string][]) {
  const byFlag = fieldsByFlag();
  const fields: FieldValues = {};
  let nodeLabels: Record<string, string> = {};
  const ignored: string[] = [];
  for (const [name, text] of flags) {
    const fieldName = byFlag.get(name);
    const field = fieldName === undefined ? undefined : findField(fieldName);
    if (fieldName !== undefined && field !== undefined) {
      try {
        const value = readFlagValue(name, field.kind, text);
        const known = fields[fieldName];
        // A list that is given again goes on.
        fields[fieldName] =
          Array.isArray(known) && Array.isArray(value) ? [...known, ...value] : value;
      } catch (error) {
        throw flagError(flagProblem(name, text, error));
      }
      continue;
    }
    const known = Object.hasOwn(processFlags, name) ? processFlags[name] : undefined;
    if (known === undefined) throw flagError(`unknown flag: --${name}`);
    if (known.effect === 'refused') throw usage(refusal(`--kubelet-arg ${name}`, known.why));
    if (known.effect === 'ignored') ignored.push(name);
    if (name === 'node-labels') {
      nodeLabels = {
        ...nodeLabels,
        ...(readFlagValue(name, 'map', text) as Record<string, string>),
      };
    }
  }
  return { fields, nodeLabels, ignored };
}

async function readFileFields(path: string): Promise<FieldValues> {
  if (!isAbsolute(path)) {
    throw usage(
      `failed to load kubelet config file, path: ${path}, error: the path must be absolute`,
    );
  }
  try {
    return readConfigurationText(await readText(path));
  } catch (error) {
    throw usage(`failed to load kubelet config file, path: ${path}, error: ${messageOf(error)}`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const text = hasCode(error, 'ENOENT')
      ? `open ${path}: no such file or directory`
      : messageOf(error);
    throw new Error(`failed to read kubelet config file "${path}", error: ${text}`, {
      cause: error,
    });
  }
}

async function dropIns(directory: string, isGiven: boolean): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    const isMissing = hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
    if (isMissing && !isGiven) return [];
    throw usage(`failed to merge kubelet configs: ${messageOf(error)}`);
  }
}

/** A refused field may be set to what it is anyway. */
function refuseOthers(given: FieldValues, byFlag: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(given)) {
    const field = findField(name);
    if (field?.effect !== 'refused' || isEmpty(value)) continue;
    if (canonicalJson(value) === canonicalJson(field.default ?? null)) continue;
    const what = byFlag.has(name)
      ? `--kubelet-arg ${flagName(name, field)}`
      : `kubelet configuration ${name}`;
    throw usage(refusal(what, field.why));
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function refusal(what: string, why = ''): string {
  return `${what} has no effect here: ${why}`;
}

/** The kubelet's own text, and where the flag comes from: k3ts has flags of its own. */
function flagError(problem: string): K3tsError {
  return usage(`--kubelet-arg: ${problem}`);
}

function usage(text: string): K3tsError {
  return new K3tsError('Usage', text);
}
