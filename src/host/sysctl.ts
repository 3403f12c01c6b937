import { readFile, writeFile } from 'node:fs/promises';
import { hasCode } from '#base/errors.ts';

/** The file of a sysctl; a slash form keeps dots in interface names: `net/ipv4/conf/eth0.1/…`. */
export function sysctlPath(name: string): string {
  const slash = name.indexOf('/');
  const dot = name.indexOf('.');
  const isSlashForm = slash >= 0 && (dot < 0 || slash < dot);
  return `/proc/sys/${isSlashForm ? name : name.replaceAll('.', '/')}`;
}

/** The value of a sysctl; undefined when this kernel (or namespace) does not have it. */
export async function readSysctl(name: string): Promise<string | undefined> {
  try {
    return (await readFile(sysctlPath(name), 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Sets a sysctl unless it has the value already; returns whether it wrote. Throws when it cannot.
 */
export async function writeSysctl(name: string, value: string): Promise<boolean> {
  if ((await readSysctl(name)) === value) return false;
  await writeFile(sysctlPath(name), value);
  return true;
}
