import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createWebhookClient } from '#apiserver/webhook-client/mod.ts';
import type {
  ServiceResolver,
  WebhookClient,
  WebhookClientConfig,
} from '#apiserver/webhook-client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { parseKubeconfig } from '#client/mod.ts';
import type { PemSource } from '#client/mod.ts';
import { readArgFile } from './files.ts';

/** A webhook that a kubeconfig names, with the means to call it. */
export interface KubeconfigWebhook {
  readonly client: WebhookClient;
  readonly config: WebhookClientConfig;
}

/**
 * The webhook in the current context of a kubeconfig: address and authority of the cluster,
 * certificate or token of the user. Throws `Usage` for a file that cannot be used.
 */
export function loadWebhook(
  arg: string,
  path: string,
  options: { clock: Clock; log: Logger; resolver: ServiceResolver },
): KubeconfigWebhook {
  return readArgFile(arg, path, (text) => {
    const entry = parseKubeconfig(text);
    const load = ({ data, file }: PemSource): Buffer | undefined =>
      data ?? (file === undefined ? undefined : readFileSync(resolve(dirname(path), file)));
    const authority = load(entry.ca);
    const tokenFile = load({ file: entry.tokenFile })?.toString('utf8').trim();
    const credentials = {
      token: entry.token ?? tokenFile,
      certificate: load(entry.cert)?.toString('utf8'),
      key: load(entry.key)?.toString('utf8'),
    };
    return {
      client: createWebhookClient({ ...options, credentials: () => credentials }),
      config: {
        url: entry.server,
        ...(authority === undefined ? {} : { caBundle: authority.toString('base64') }),
      },
    };
  });
}
