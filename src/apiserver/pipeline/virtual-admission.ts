import type { UnknownObject } from '#schema/mod.ts';
import type { Core } from '../core.ts';
import type { WriteOptions } from '../handlers/write-options.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import { admissionAttributes } from './write-scope.ts';

/**
 * Both passes of admission over a create that stores nothing, as token and access reviews; returns
 * what mutation made of it. Subresources of stored objects ask admission themselves.
 */
export async function admitVirtual(
  core: Core,
  served: ServedResource,
  context: ResourceRequestContext,
  options: WriteOptions,
  object: UnknownObject,
): Promise<UnknownObject> {
  const { namespace } = context.info;
  const attributes = admissionAttributes(
    {
      context,
      served,
      namespace: served.info.namespaced ? namespace : '',
      name: object.metadata.name ?? '',
      subresource: '',
      options,
      nowMs: core.clock.now(),
    },
    'CREATE',
    object,
    undefined,
  );
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
  return attributes.object ?? object;
}
