import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { CSIDriver, SecretReference, Secret } from '#schema/types.ts';

/** What the cluster's CSIDriver says of a driver; upstream's defaults where there is none. */
export async function readDriverObject(
  client: Client,
  name: string,
  signal?: AbortSignal,
): Promise<CSIDriver> {
  try {
    return await client.get<CSIDriver>(resources.csiDrivers, name, { signal });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    return { metadata: { name }, spec: {} };
  }
}

/** The decoded values of a secret that a volume refers to; none without a reference. */
export async function readSecret(
  client: Client,
  reference: SecretReference | undefined,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (reference === undefined) return {};
  const { name = '', namespace } = reference;
  const { data = {} } = await client.get<Secret>(resources.secrets, name, { namespace, signal });
  return Object.fromEntries(
    Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString()]),
  );
}
