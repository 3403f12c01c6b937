import { join } from 'node:path';

import type { Random } from '#base/random.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';

const nodeDirectory = '/etc/rancher/node';

/** The secret that keeps other machines from taking this node's name; made at the first start. */
export async function ensureNodePassword(
  random: Random,
  directory = nodeDirectory,
): Promise<string> {
  const path = join(directory, 'password');
  const existing = (await readFileIfExists(path))?.trim();
  if (existing !== undefined && existing !== '') return existing;
  const password = random.bytes(16).toString('hex');
  await writeFileAtomic(path, `${password}\n`);
  return password;
}

/** The eight digits that --with-node-id puts behind the node's name. */
export async function ensureNodeId(random: Random, directory = nodeDirectory): Promise<string> {
  const path = join(directory, 'id');
  const existing = (await readFileIfExists(path))?.trim();
  if (existing !== undefined && existing !== '') return existing;
  const id = random.bytes(4).toString('hex');
  await writeFileAtomic(path, `${id}\n`, 0o644);
  return id;
}
