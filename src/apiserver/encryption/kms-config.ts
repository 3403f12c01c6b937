import type { Clock } from '#base/clock.ts';
import { parseDuration } from '#base/duration.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { bad } from './bad-config.ts';
import { KmsProvider } from './kms-provider.ts';
import { createKmsService } from './kms-service.ts';

const defaultTimeoutMs = 3000;
const noVersion1 =
  'KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.';

/** What providers that hold their keys outside work with. */
export interface EncryptionTools {
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reads `kms` of a provider. Throws `BadEncryptionConfig`. */
export function readKmsProvider(
  kms: Record<string, unknown>,
  path: string,
  tools: EncryptionTools,
): KmsProvider {
  const { name, endpoint, apiVersion = 'v1', timeout, cachesize } = kms;
  if (apiVersion === 'v1') throw bad(`${path}.apiVersion: ${noVersion1}`);
  if (apiVersion !== 'v2') {
    const shown = JSON.stringify(apiVersion);
    throw bad(
      `${path}.apiVersion: Invalid value: ${shown}: unsupported apiVersion ${String(apiVersion)} for KMS provider, only v1 and v2 are supported`,
    );
  }
  if (typeof name !== 'string' || name === '') {
    throw bad(`${path}.name: Required value: KMS provider name is a required field`);
  }
  if (name.includes(':')) {
    const shown = JSON.stringify(name);
    throw bad(
      `${path}.name: Invalid value: ${shown}: KMS provider name should not contain colons, got ${name}`,
    );
  }
  if (typeof endpoint !== 'string' || endpoint === '') {
    throw bad(`${path}.endpoint: Invalid value: "": KMS provider endpoint is a required field`);
  }
  if (!endpoint.startsWith('unix:')) {
    const scheme = JSON.stringify(endpoint.split(':')[0]);
    throw bad(
      `${path}.endpoint: Invalid value: ${JSON.stringify(endpoint)}: unsupported scheme ${scheme} for KMS provider, only unix is supported`,
    );
  }
  if (cachesize !== undefined) {
    throw bad(
      `${path}.cachesize: Invalid value: ${String(cachesize)}: cachesize is not supported in v2`,
    );
  }
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : durationOf(String(timeout));
  if (timeoutMs <= 0) {
    const shown = JSON.stringify(String(timeout));
    throw bad(`${path}.timeout: Invalid value: ${shown}: timeout should be a positive value`);
  }
  const service = createKmsService({ endpoint, timeoutMs, clock: tools.clock });
  return new KmsProvider({ name, service, ...tools });
}

/** Zero for what is no duration. */
function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    // refused with the text of durations that are too short, as upstream
    return 0;
  }
}
