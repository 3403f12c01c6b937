import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import type { Flag } from './flag.ts';
import type { RawFlags } from './parse.ts';

/**
 * Reads k3s' configuration: FILE, then FILE.d/*.yaml by name. A later file wins key by key, `key+`
 * appends. An unknown key is skipped with a warning, as k3s does. Throws `Usage` naming the file when it cannot be read or is no mapping.
 */
export function readConfigFile(
  path: string,
  options: { explicit: boolean; flags: readonly Flag[] },
): { raw: RawFlags; warnings: string[] } {
  const warnings: string[] = [];
  const result = new Map<string, (string | true)[]>();
  const fragments = `${path}.d`;
  const files = existsSync(path) ? [path] : [];
  if (files.length === 0 && options.explicit) {
    throw new K3tsError('Usage', `config file ${path} does not exist`);
  }
  if (existsSync(fragments)) {
    const names = readdirSync(fragments).filter((name) => /\.ya?ml$/.test(name));
    files.push(...names.sort().map((name) => join(fragments, name)));
  }
  const byKey = new Map(options.flags.flatMap((flag) => keysOf(flag).map((key) => [key, flag])));
  for (const file of files) {
    for (const [key, value] of Object.entries(readMapping(file))) {
      const append = key.endsWith('+');
      const name = append ? key.slice(0, -1) : key;
      const flag = byKey.get(name);
      if (flag === undefined) {
        warnings.push(`Unknown flag --${name} found in ${file}, skipping`);
        continue;
      }
      const texts = textsOf(value, file, name);
      result.set(flag.name, append ? [...(result.get(flag.name) ?? []), ...texts] : texts);
    }
  }
  return { raw: result, warnings };
}

function keysOf(flag: Flag): string[] {
  return flag.short === undefined ? [flag.name] : [flag.name, flag.short];
}

function readMapping(file: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = yamlLibrary().parse(readFileSync(file, 'utf8'), {
      version: '1.1',
      schema: 'yaml-1.1',
    });
  } catch (error) {
    const reason = messageOf(error).split('\n')[0] ?? '';
    throw new K3tsError('Usage', `cannot read config file ${file}: ${reason}`, { cause: error });
  }
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new K3tsError('Usage', `config file ${file} must hold keys and values`);
  }
  return document as Record<string, unknown>;
}

function textsOf(value: unknown, file: string, key: string): string[] {
  const texts = Array.isArray(value) ? value : [value];
  return texts.map((text: unknown) => {
    if (typeof text === 'string') return text;
    if (typeof text === 'number' || typeof text === 'boolean') return String(text);
    throw new K3tsError(
      'Usage',
      `config file ${file}: the value of "${key}" must be a text, a number, a boolean or a list of them`,
    );
  });
}
