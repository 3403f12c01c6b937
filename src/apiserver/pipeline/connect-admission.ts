import type { Core } from '../core.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedObject } from '../resource-registry.ts';

/** Asks the admission plugins about a connection to an object (exec, attach, proxy, …). */
export async function admitConnection(
  core: Core,
  served: ServedResource,
  context: ResourceRequestContext,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { namespace, name, subresource } = context.info;
  const { cache } = served;
  const entry = cache?.get(cache.keyOf(served.info.namespaced ? namespace : '', name));
  const attributes = {
    context,
    operation: 'CONNECT' as const,
    subresource,
    namespace,
    name,
    object: undefined,
    oldObject: entry === undefined ? undefined : servedObject(served, entry),
    options,
    dryRun: false,
  };
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
}
