import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { VolumeAttachment } from '#schema/types.ts';
import { VolumeError } from '../volumes/volume-error.ts';

const pollMs = 500;

/**
 * Waits until the driver's attacher has attached a volume to this node, and answers what it says
 * about it for the node's own calls. Throws what the attacher says is wrong.
 */
export async function waitForAttachment(options: {
  client: Client;
  clock: Clock;
  name: string;
  signal: AbortSignal;
}): Promise<Readonly<Record<string, string>>> {
  const { client, clock, name, signal } = options;
  for (;;) {
    const found = await read(client, name, signal);
    if (found?.metadata.deletionTimestamp !== undefined) {
      throw new VolumeError('volume attachment is being deleted', { operation: 'WaitForAttach' });
    }
    const { attached, attachError, attachmentMetadata } = found?.status ?? {};
    if (attached === true) return attachmentMetadata ?? {};
    if (attachError !== undefined) {
      throw new VolumeError(attachError.message ?? '', { operation: 'WaitForAttach' });
    }
    await clock.sleep(pollMs, signal);
  }
}

async function read(
  client: Client,
  name: string,
  signal: AbortSignal,
): Promise<VolumeAttachment | undefined> {
  try {
    return await client.get<VolumeAttachment>(resources.volumeAttachments, name, { signal });
  } catch (error) {
    // The node may not see it before it is there.
    if (hasReason(error, 'NotFound') || hasReason(error, 'Forbidden')) return undefined;
    throw error;
  }
}
