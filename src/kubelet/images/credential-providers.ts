import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { readOptional } from '#host/files.ts';
import { runCommand } from '#host/process.ts';
import type { Client } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import { repositoryOf } from './image-name.ts';
import { accountFor } from './provider-accounts.ts';
import type { ProviderAccount } from './provider-accounts.ts';
import { readProviders } from './provider-config.ts';
import type { Provider } from './provider-config.ts';
import { isMatch } from './pull-secrets.ts';
import type { CredentialSource, DockerAuths } from './pull-secrets.ts';

/** Programs that give credentials for images: KEP 2133's exec plugins. */
export interface CredentialProviders {
  /** What every provider in charge of the image says, from its cache where that is good. */
  auths(image: string, pod: Pod): Promise<CredentialSource[]>;
}

interface Response {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly cacheKeyType?: string;
  readonly cacheDuration?: string;
  readonly auth?: DockerAuths;
}

const execTimeoutMs = 60_000;
const maxCached = 1_000;

/** No file: no providers. Throws with the file's name for what is wrong in it. */
export async function loadCredentialProviders(options: {
  config: string;
  binDirectory: string;
  client: Client;
  clock: Clock;
  log: Logger;
}): Promise<CredentialProviders> {
  const { config, binDirectory, clock, log } = options;
  const text = await readOptional(config);
  const providers = text === undefined ? [] : readProviders(text, config);
  for (const { name } of providers) await checkProgram(join(binDirectory, name));
  const cache = new Map<string, { auths: DockerAuths; untilMs: number }>();

  const cached = (provider: Provider, image: string, scope: string): DockerAuths | undefined => {
    for (const key of cacheKeys(image)) {
      const entry = cache.get(`${provider.name} ${scope} ${key}`);
      if (entry !== undefined && entry.untilMs > clock.now()) return entry.auths;
    }
    return undefined;
  };
  const keep = (provider: Provider, image: string, scope: string, response: Response): void => {
    const { cacheKeyType = 'Image', cacheDuration, auth = {} } = response;
    const durationMs =
      cacheDuration === undefined ? provider.defaultCacheMs : parseDuration(cacheDuration);
    if (durationMs <= 0) return;
    const [byImage, byRegistry, global] = cacheKeys(image);
    const key = { Image: byImage, Registry: byRegistry, Global: global }[cacheKeyType];
    if (cache.size >= maxCached) cache.clear();
    cache.set(`${provider.name} ${scope} ${key}`, {
      auths: auth,
      untilMs: clock.now() + durationMs,
    });
  };
  /** Undefined for a provider that is not to be asked for this pod. */
  const sourceOf = async (
    provider: Provider,
    image: string,
    pod: Pod,
  ): Promise<CredentialSource | undefined> => {
    const { token } = provider;
    const found = token === undefined ? 'none' : await accountFor(pod, token, options);
    if (found === undefined) return undefined;
    const account = found === 'none' ? undefined : found;
    const scope = account?.cacheKey ?? '';
    let auths = cached(provider, image, scope);
    if (auths === undefined) {
      const response = await ask(provider, join(binDirectory, provider.name), image, account);
      keep(provider, image, scope, response);
      auths = response.auth ?? {};
    }
    return { auths, serviceAccount: account?.serviceAccount };
  };

  return {
    async auths(image, pod) {
      const repository = repositoryOf(image);
      const sources: CredentialSource[] = [];
      for (const provider of providers) {
        if (!provider.matchImages.some((pattern) => isMatch(pattern, repository))) continue;
        try {
          const source = await sourceOf(provider, image, pod);
          if (source !== undefined) sources.push(source);
        } catch (error) {
          log.warning('Cannot get credentials from a provider', {
            provider: provider.name,
            image,
            error: messageOf(error),
          });
        }
      }
      return sources;
    },
  };
}

/** By image without tag and digest, by registry, and for everything. */
function cacheKeys(image: string): [image: string, registry: string, global: string] {
  const repository = repositoryOf(image);
  return [repository, repository.split('/')[0] ?? '', '*'];
}

async function ask(
  provider: Provider,
  program: string,
  image: string,
  account: ProviderAccount | undefined,
): Promise<Response> {
  const { apiVersion, args, env } = provider;
  const request = {
    kind: 'CredentialProviderRequest',
    apiVersion,
    image,
    ...(account === undefined
      ? {}
      : {
          serviceAccountToken: await account.token(),
          serviceAccountAnnotations: account.annotations,
        }),
  };
  const assignments = env.map(({ name, value }) => `${name}=${value}`);
  const { stdout } = await runCommand({
    // The provider sees our environment with its own settings in it.
    command: assignments.length === 0 ? program : 'env',
    args: assignments.length === 0 ? args : [...assignments, program, ...args],
    stdin: JSON.stringify(request),
    timeoutMs: execTimeoutMs,
  });
  const response = JSON.parse(stdout) as Response;
  if (response.kind !== 'CredentialProviderResponse' || response.apiVersion !== apiVersion) {
    throw new K3tsError(
      'CredentialProvider',
      `expected a CredentialProviderResponse of ${apiVersion}, got ${response.kind} of ${response.apiVersion}`,
    );
  }
  return response;
}

async function checkProgram(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    const text = `plugin binary executable ${path} did not exist`;
    throw new K3tsError('CredentialProvider', text, { cause: error });
  }
}
