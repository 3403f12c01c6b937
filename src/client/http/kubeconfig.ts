import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { createHttpClient } from './http-client.ts';
import type { HttpClient, HttpClientOptions } from './http-client.ts';

/** What a kubeconfig's context says; file references are still to be read. */
export interface KubeconfigEntry {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
  readonly ca: PemSource;
  readonly cert: PemSource;
  readonly key: PemSource;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/** Inline data wins over a file, as in client-go. */
export interface PemSource {
  readonly data?: Buffer | undefined;
  readonly file?: string | undefined;
}

type Fields = Record<string, string | boolean | undefined>;
interface Named {
  name?: string;
  cluster?: Fields;
  user?: Fields;
  context?: Fields;
}

/**
 * The entry of a context (current-context when `contextName` is absent). Throws K3tsError
 * `BadKubeconfig`; exec and auth-provider users are not supported.
 */
export function parseKubeconfig(text: string, contextName?: string): KubeconfigEntry {
  let config: Record<string, unknown>;
  try {
    config = yamlLibrary().parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new K3tsError('BadKubeconfig', `kubeconfig is no YAML: ${messageOf(error)}`);
  }
  const find = (list: string, name: unknown): Named => {
    const entries = (config[list] ?? []) as Named[];
    const found = entries.find((entry) => entry.name === name);
    if (found === undefined) {
      throw new K3tsError('BadKubeconfig', `kubeconfig has no ${list} entry "${String(name)}"`);
    }
    return found;
  };
  const context = find('contexts', contextName ?? config['current-context']).context ?? {};
  const cluster = find('clusters', context['cluster']).cluster ?? {};
  const user = find('users', context['user']).user ?? {};
  if (typeof cluster['server'] !== 'string') {
    throw new K3tsError('BadKubeconfig', 'kubeconfig names no server');
  }
  return {
    server: cluster['server'],
    namespace: textOf(context['namespace']),
    serverName: textOf(cluster['tls-server-name']),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    ca: sourceOf(cluster, 'certificate-authority'),
    cert: sourceOf(user, 'client-certificate'),
    key: sourceOf(user, 'client-key'),
    token: textOf(user['token']),
    tokenFile: textOf(user['tokenFile']),
  };
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function sourceOf(fields: Fields, name: string): PemSource {
  const data = textOf(fields[`${name}-data`]);
  if (data !== undefined) return { data: Buffer.from(data, 'base64') };
  return { file: textOf(fields[name]) };
}

/** A client as a kubeconfig file says; relative file names count from the kubeconfig's folder. */
export async function createKubeconfigClient(
  file: string,
  options: { clock: Clock; log: Logger; userAgent?: string; context?: string },
): Promise<HttpClient> {
  const { context, ...rest } = options;
  const entry = parseKubeconfig(await readFile(file, 'utf8'), context);
  const folder = path.dirname(file);
  const load = async (source: PemSource): Promise<Buffer | undefined> => {
    if (source.data !== undefined || source.file === undefined) return source.data;
    return await readFile(path.resolve(folder, source.file));
  };
  const [ca, cert, key, tokenFromFile] = await Promise.all([
    load(entry.ca),
    load(entry.cert),
    load(entry.key),
    load({ file: entry.tokenFile }),
  ]);
  const clientOptions: HttpClientOptions = {
    ...rest,
    server: entry.server,
    serverName: entry.serverName,
    insecure: entry.insecure,
    ca,
    cert,
    key,
    token: entry.token ?? tokenFromFile?.toString('utf8').trim(),
  };
  return createHttpClient(clientOptions);
}
