import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Namespace } from '#schema/types.ts';

import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isResource } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

/** Makes the namespace of an object that is created where there is none. */
export function createNamespaceAutoProvision(options: {
  reader: ObjectReader;
  client: Client;
}): AdmissionPlugin {
  const { reader, client } = options;
  return {
    name: 'NamespaceAutoProvision',
    handles: (attributes) =>
      attributes.operation === 'CREATE' &&
      attributes.namespace !== '' &&
      !attributes.dryRun &&
      !isResource(attributes, '', 'namespaces', attributes.subresource),
    async mutate({ namespace: name }) {
      const found = await getOrRefresh<Namespace>(reader, resources.namespaces, '', name);
      if (found !== undefined) return;
      try {
        const metadata = { name };
        await client.create<Namespace>(resources.namespaces, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata,
        });
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error;
      }
    },
  };
}
