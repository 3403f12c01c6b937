import { parseDuration } from '#base/duration.ts';
import { K3tsError } from '#base/errors.ts';
import { readYaml } from '#schema/mod.ts';
import type { TokenAttributes } from './provider-accounts.ts';

/** A program that gives credentials, as the configuration describes it. */
export interface Provider {
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Undefined: it gets no token of a service account. */
  readonly token: TokenAttributes | undefined;
}

const configVersions = ['v1', 'v1beta1', 'v1alpha1'].map((one) => `kubelet.config.k8s.io/${one}`);
const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map(
  (one) => `credentialprovider.kubelet.k8s.io/${one}`,
);

/** The providers of a configuration file; throws with the file's name for what is wrong in it. */
export function readProviders(text: string, path: string): Provider[] {
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
      token: tokenAttributes(one['tokenAttributes'], apiVersion, (what) =>
        wrong(`tokenAttributes of provider ${name}: ${what}`),
      ),
    };
  });
}

function tokenAttributes(
  given: unknown,
  apiVersion: string,
  wrong: (what: string) => K3tsError,
): TokenAttributes | undefined {
  if (given === undefined || given === null) return undefined;
  const {
    serviceAccountTokenAudience: audience = '',
    cacheType,
    requireServiceAccount,
    requiredServiceAccountAnnotationKeys: requiredAnnotations = [],
    optionalServiceAccountAnnotationKeys: optionalAnnotations = [],
  } = given as {
    serviceAccountTokenAudience?: string;
    cacheType?: string;
    requireServiceAccount?: boolean;
    requiredServiceAccountAnnotationKeys?: string[];
    optionalServiceAccountAnnotationKeys?: string[];
  };
  if (apiVersion !== 'credentialprovider.kubelet.k8s.io/v1') {
    throw wrong('only providers of credentialprovider.kubelet.k8s.io/v1 get tokens');
  }
  if (audience === '') throw wrong('serviceAccountTokenAudience is required');
  if (cacheType !== 'ServiceAccount' && cacheType !== 'Token') {
    throw wrong('cacheType must be ServiceAccount or Token');
  }
  if (typeof requireServiceAccount !== 'boolean') throw wrong('requireServiceAccount is required');
  if (!requireServiceAccount && requiredAnnotations.length > 0) {
    throw wrong(
      'requireServiceAccount cannot be false when requiredServiceAccountAnnotationKeys is set',
    );
  }
  const twice = optionalAnnotations.find((key) => requiredAnnotations.includes(key));
  if (twice !== undefined) throw wrong(`annotation ${twice} cannot be both required and optional`);
  return {
    audience,
    cacheType,
    isRequired: requireServiceAccount,
    requiredAnnotations,
    optionalAnnotations,
  };
}
