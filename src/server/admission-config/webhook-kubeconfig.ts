import path from 'node:path';
import type { WebhookCredentials } from '#apiserver/webhook-client/mod.ts';
import { K3tsError } from '#base/errors.ts';
import { readYaml } from '#schema/mod.ts';

/** The users of a kubeconfig, by the hosts of webhooks that they are for. */
export type CredentialsByHost = (host: string, port: number) => WebhookCredentials | undefined;

type Fields = Readonly<Record<string, unknown>>;
interface NamedEntry {
  readonly name?: string;
  readonly user?: Fields;
  readonly context?: Fields;
}

/**
 * Credentials for webhooks: the user with the name of the host (with its port, or without when it
 * is 443), else `*.` with a part of the host, else `*`, else the one of the current context.
 */
export async function readWebhookKubeconfig(
  file: string,
  read: (file: string) => Promise<string>,
): Promise<CredentialsByHost> {
  const config = readYaml(await read(file)).value as {
    users?: NamedEntry[];
    contexts?: NamedEntry[];
    'current-context'?: string;
  } | null;
  const users = new Map<string, WebhookCredentials>();
  for (const { name = '', user = {} } of config?.users ?? []) {
    users.set(name, await credentialsOf(user, path.dirname(file), read));
  }
  const current = config?.contexts?.find((one) => one.name === config['current-context']);
  const fallback = users.get(String(current?.context?.['user'] ?? ''));
  return (host, port) => {
    for (const name of namesFor(host, port)) {
      const found = users.get(name);
      if (found !== undefined) return found;
    }
    return fallback;
  };
}

function namesFor(host: string, port: number): string[] {
  const whole = [`${host}:${port}`, ...(port === 443 ? [host] : [])];
  const stars = whole.flatMap((name) => {
    const steps = name.split('.');
    return steps.slice(1).map((_, index) => `*.${steps.slice(index + 1).join('.')}`);
  });
  return [...whole, ...stars, '*'];
}

async function credentialsOf(
  user: Fields,
  directory: string,
  read: (file: string) => Promise<string>,
): Promise<WebhookCredentials> {
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined) {
    throw new K3tsError(
      'Usage',
      'kubeconfig of webhooks: exec and auth-provider are not supported',
    );
  }
  const pem = async (name: string): Promise<string | undefined> => {
    const data = user[`${name}-data`];
    if (typeof data === 'string') return Buffer.from(data, 'base64').toString();
    const file = user[name];
    return typeof file === 'string' ? await read(path.resolve(directory, file)) : undefined;
  };
  const tokenFile = user['tokenFile'];
  const token =
    typeof tokenFile === 'string'
      ? (await read(path.resolve(directory, tokenFile))).trim()
      : user['token'];
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' ? value : undefined;
  return {
    token: text(token),
    username: text(user['username']),
    password: text(user['password']),
    certificate: await pem('client-certificate'),
    key: await pem('client-key'),
  };
}
