import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import { readOptional } from '#host/files.ts';
import type { Pod } from '#schema/types.ts';
import { loadCredentialProviders } from './credential-providers.ts';
import type { PullCredential } from './pull-credential.ts';
import { fittingCredentials, readDockerConfig } from './pull-secrets.ts';
import type { CredentialSource } from './pull-secrets.ts';

/**
 * What the node itself knows about registries: docker's files at upstream's places, read at each
 * question, and credential provider plugins. Throws when the plugins' configuration is wrong.
 */
export async function createNodeCredentials(options: {
  /** `/var/lib/kubelet`. */
  rootDirectory: string;
  provider: { config: string; binDirectory: string };
  /** For tokens of service accounts that providers are given. */
  client: Client;
  clock: Clock;
  log: Logger;
}): Promise<(image: string, pod: Pod) => Promise<PullCredential[]>> {
  const providers = await loadCredentialProviders({ ...options, ...options.provider });
  const files = dockerFiles(options.rootDirectory);
  return async (image, pod) => {
    const configs: CredentialSource[] = [];
    for (const { path, isLegacy } of files) {
      const text = await readOptional(path);
      if (text !== undefined) configs.push({ auths: readDockerConfig(text, isLegacy) });
    }
    return fittingCredentials(image, [...configs, ...(await providers.auths(image, pod))]);
  };
}

function dockerFiles(rootDirectory: string): { path: string; isLegacy: boolean }[] {
  const current = [rootDirectory, '/root/.docker', '/.docker'];
  const legacy = [rootDirectory, '/root', '/'];
  return [
    ...current.map((folder) => ({ path: join(folder, 'config.json'), isLegacy: false })),
    ...legacy.map((folder) => ({ path: join(folder, '.dockercfg'), isLegacy: true })),
  ];
}
