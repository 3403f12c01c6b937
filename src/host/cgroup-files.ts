import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupLayout } from './cgroup-layout.ts';

/** The text of a cgroup's file without white space around it; empty without the controller. */
export type ReadCgroupFile = (controller: string, file: string) => Promise<string>;

/** Reads files of one cgroup; rejects as node:fs does. */
export function cgroupReader(layout: CgroupLayout, path: string): ReadCgroupFile {
  return async (controller, file) => {
    const mount = layout.controllers.get(controller);
    if (mount === undefined) return '';
    return (await readFile(join(mount, path, file), 'utf8')).trim();
  };
}

/** `key value` lines, as in memory.stat and cpu.stat. */
export function parseFlatKeyed(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) values.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return values;
}

/** `max`, nothing, and the largest multiple of the page size in version 1: there is no limit. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text);
  return text === '' || text === 'max' || value < 0 || value >= 2 ** 62 ? undefined : value;
}
