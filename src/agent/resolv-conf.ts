import { isIP } from 'node:net';
import { join } from 'node:path';

import type { Logger } from '#base/log.ts';
import { parseResolvConf } from '#dns/mod.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import type { AgentPaths } from './paths.ts';

const candidates = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/**
 * The resolv.conf that pods inherit: the one given, else the first whose nameservers pods can
 * reach, else a generated one with a public resolver, with a warning, as k3s.
 */
export async function chooseResolvConf(options: {
  given: string | undefined;
  paths: AgentPaths;
  log: Logger;
}): Promise<string> {
  const { given, paths, log } = options;
  if (given !== undefined) return given;
  for (const path of candidates) {
    const text = await readFileIfExists(path);
    if (text === undefined) continue;
    const { nameservers } = parseResolvConf(text);
    if (nameservers.length > 0 && nameservers.every(isReachable)) return path;
  }
  const path = join(paths.etc, 'resolv.conf');
  log.warning('Host resolv.conf includes no nameserver that pods can reach; using 8.8.8.8', {
    path,
  });
  await writeFileAtomic(path, 'nameserver 8.8.8.8\n', 0o644);
  return path;
}

/** Loopback, link-local and multicast addresses mean something else inside a pod. */
function isReachable(address: string): boolean {
  if (isIP(address) === 0) return false;
  return !/^(127\.|0\.|169\.254\.|22[4-9]\.|23\d\.|::1$|fe80:|ff)/i.test(address);
}
