import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { Logger } from '#base/log.ts';
import { filesOf } from './services.ts';

/**
 * Moves the certificates and keys of these services out of the way, so that the next start makes
 * new ones, and answers where copies of them are. k3ts should be stopped.
 */
export async function rotateCertificates(options: {
  dataDir: string;
  services: readonly string[];
  nowMs: number;
  log: Logger;
}): Promise<string> {
  const { dataDir, services, nowMs, log } = options;
  const agentDir = join(dataDir, 'agent');
  const tls = join(dataDir, 'server', 'tls');
  const isServer = existsSync(tls);
  const name = `tls-${Math.floor(nowMs / 1000)}`;
  const backup = join(isServer ? join(dataDir, 'server') : agentDir, name);
  const files = new Map(
    services.map((service) => [
      service,
      filesOf(service, dataDir)
        .flatMap(({ certificate, key }) => (certificate === undefined ? [key] : [certificate, key]))
        .filter((file) => existsSync(file)),
    ]),
  );
  await mkdir(backup, { mode: 0o700 });
  if (isServer) await cp(tls, backup, { recursive: true, preserveTimestamps: true });
  for (const file of new Set([...files.values()].flat())) {
    if (file.startsWith(`${agentDir}/`)) await copyFile(file, join(backup, basename(file)));
  }
  for (const [service, paths] of files) {
    log.info(`Rotating certificates for ${service}`);
    for (const path of paths) await rm(path, { force: true });
  }
  return backup;
}
