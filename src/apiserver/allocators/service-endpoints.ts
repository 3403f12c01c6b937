import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';

import type { ServiceName } from './ip-address-object.ts';

/**
 * Deletes the Endpoints of a Service that is gone, so that the next one of its name does not begin
 * with those of the last; their controller may be behind. What fails is logged.
 */
export async function deleteEndpoints(
  client: Client,
  { namespace, name }: ServiceName,
  log: Logger,
): Promise<void> {
  try {
    await client.delete(resources.endpoints, name, { namespace });
  } catch (error) {
    if (hasReason(error, 'NotFound')) return;
    const service = `${namespace}/${name}`;
    log.warning('cannot delete the endpoints of a service', { service, error: messageOf(error) });
  }
}
