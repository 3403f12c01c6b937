import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { readOptional } from '#host/files.ts';
import { runCommand } from '#host/process.ts';
import { readYaml } from '#schema/mod.ts';
import { repositoryOf } from './image-name.ts';
import { isMatch } from './pull-secrets.ts';
import type { DockerAuths } from './pull-secrets.ts';

/** Programs that give credentials for images: KEP 2133's exec plugins. */
export interface CredentialProviders {
  /** What every provider in charge of the image says, from its cache where that is good. */
  auths(image: string): Promise<DockerAuths[]>;
}

interface Provider {
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface Response {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly cacheKeyType?: string;
  readonly cacheDuration?: string;
  readonly auth?: DockerAuths;
}

const configVersions = ['v1', 'v1beta1', 'v1alpha1'].map((one) => `kubelet.config.k8s.io/${one}`);
const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map(
  (one) => `credentialprovider.kubelet.k8s.io/${one}`,
);
const execTimeoutMs = 60_000;
const maxCached = 1_000;

/** No file: no providers. Throws with the file's name for what is wrong in it. */
export async function loadCredentialProviders(options: {
  config: string;
  binDirectory: string;
  clock: Clock;
  log: Logger;
}): Promise<CredentialProviders> {
  const { config, binDirectory, clock, log } = options;
  const text = await readOptional(config);
  const providers = text === undefined ? [] : readProviders(text, config);
  for (const { name } of providers) await checkProgram(join(binDirectory, name));
  const cache = new Map<string, { auths: DockerAuths; untilMs: number }>();

  const cached = (provider: Provider, image: string): DockerAuths | undefined => {
    for (const key of cacheKeys(image)) {
      const entry = cache.get(`${provider.name} ${key}`);
      if (entry !== undefined && entry.untilMs > clock.now()) return entry.auths;
    }
    return undefined;
  };
  const keep = (provider: Provider, image: string, response: Response): void => {
    const { cacheKeyType = 'Image', cacheDuration, auth = {} } = response;
    const durationMs =
      cacheDuration === undefined ? provider.defaultCacheMs : parseDuration(cacheDuration);
    if (durationMs <= 0) return;
    const [byImage, byRegistry, global] = cacheKeys(image);
    const key = { Image: byImage, Registry: byRegistry, Global: global }[cacheKeyType];
    if (cache.size >= maxCached) cache.clear();
    cache.set(`${provider.name} ${key}`, { auths: auth, untilMs: clock.now() + durationMs });
  };

  return {
    async auths(image) {
      const repository = repositoryOf(image);
      const found: DockerAuths[] = [];
      for (const provider of providers) {
        if (!provider.matchImages.some((pattern) => isMatch(pattern, repository))) continue;
        const known = cached(provider, image);
        if (known !== undefined) {
          found.push(known);
          continue;
        }
        try {
          const response = await ask(provider, join(binDirectory, provider.name), image);
          keep(provider, image, response);
          found.push(response.auth ?? {});
        } catch (error) {
          log.warning('Cannot get credentials from a provider', {
            provider: provider.name,
            image,
            error: messageOf(error),
          });
        }
      }
      return found;
    },
  };
}

/** By image without tag and digest, by registry, and for everything. */
function cacheKeys(image: string): [image: string, registry: string, global: string] {
  const repository = repositoryOf(image);
  return [repository, repository.split('/')[0] ?? '', '*'];
}

async function ask(provider: Provider, program: string, image: string): Promise<Response> {
  const { apiVersion, args, env } = provider;
  const request = { kind: 'CredentialProviderRequest', apiVersion, image };
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

function readProviders(text: string, path: string): Provider[] {
  const wrong = (what: string): K3tsError =>
    new K3tsError('CredentialProvider', `${path}: ${what}`);
  const config = readYaml(text).value as {
    apiVersion?: string;
    kind?: string;
    providers?: Record<string, unknown>[];
  } | null;
  if (
    config?.kind !== 'CredentialProviderConfig' ||
    !configVersions.includes(config.apiVersion ?? '')
  ) {
    throw wrong('a CredentialProviderConfig of kubelet.config.k8s.io/v1 is expected');
  }
  const { providers = [] } = config;
  if (providers.length === 0) throw wrong('at least 1 item in plugins is required');
  const names = new Set<string>();
  return providers.map((one) => {
    const name = String(one['name'] ?? '');
    if (name === '' || name.includes('/') || name.includes(' ') || name === '.' || name === '..') {
      throw wrong(`provider name ${JSON.stringify(name)} is no file name`);
    }
    if (names.has(name)) throw wrong(`provider name ${JSON.stringify(name)} is there twice`);
    names.add(name);
    const apiVersion = String(one['apiVersion'] ?? '');
    if (!apiVersions.includes(apiVersion)) {
      throw wrong(`unsupported apiVersion ${JSON.stringify(apiVersion)} of provider ${name}`);
    }
    const matchImages = one['matchImages'];
    if (!Array.isArray(matchImages) || matchImages.length === 0) {
      throw wrong(`at least 1 item in matchImages is required for provider ${name}`);
    }
    if (one['tokenAttributes'] !== undefined) {
      throw wrong(`tokenAttributes of provider ${name} are not built yet`);
    }
    const duration = one['defaultCacheDuration'];
    if (typeof duration !== 'string')
      throw wrong(`defaultCacheDuration is required for provider ${name}`);
    return {
      name,
      apiVersion,
      matchImages: matchImages.map(String),
      defaultCacheMs: parseDuration(duration),
      args: (one['args'] as string[] | undefined) ?? [],
      env: (one['env'] as Provider['env'] | undefined) ?? [],
    };
  });
}
