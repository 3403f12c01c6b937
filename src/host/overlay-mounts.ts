import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callMount, mountFlags } from './libc.ts';

/** Options must fit into a page of memory with the zero that ends them. */
const maxDataBytes = 4095;

/**
 * Lays directories over each other, the first on top, and mounts them read-only. With many of them
 * their paths go through links of short names while the kernel looks at them.
 */
export async function mountLayers(lower: readonly string[], target: string): Promise<void> {
  const data = (paths: readonly string[]): string => `lowerdir=${paths.join(':')}`;
  const mount = (paths: readonly string[]): void =>
    callMount({
      source: 'overlay',
      target,
      type: 'overlay',
      flags: mountFlags.readOnly,
      data: data(paths),
    });
  if (Buffer.byteLength(data(lower)) <= maxDataBytes) {
    mount(lower);
    return;
  }
  const links = await mkdtemp(join(tmpdir(), 'l-'));
  try {
    const short = lower.map((_path, index) => join(links, String(index)));
    for (const [index, path] of lower.entries()) await symlink(path, short[index] ?? '');
    mount(short);
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}
