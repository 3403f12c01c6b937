/** Values of the TOML that we write; containerd reads nothing else. */
export type TomlValue = string | number | boolean | readonly TomlValue[];

/** A quoted key or basic string; JSON's escapes are a subset of TOML's. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

export function tomlValue(value: TomlValue): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'object') return `[${value.map(tomlValue).join(', ')}]`;
  return String(value);
}

/** A table: its header (a path of keys) and its own values; undefined values are left out. */
export function tomlTable(
  path: readonly string[],
  values: Readonly<Record<string, TomlValue | undefined>>,
): string {
  const lines: string[] = [];
  if (path.length > 0) lines.push(`[${path.map(tomlKey).join('.')}]`);
  const indent = path.length > 0 ? '  ' : '';
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) lines.push(`${indent}${tomlKey(key)} = ${tomlValue(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : tomlString(key);
}
