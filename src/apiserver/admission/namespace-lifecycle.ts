import { ApiStatusError } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Namespace } from '#schema/types.ts';

import { notFound } from '../api-errors.ts';
import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isResource, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing new in namespaces that do not exist or are going, and some may never go. */
export function createNamespaceLifecycle(options: { reader: ObjectReader }): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (attributes) => attributes.operation !== 'CONNECT',
    mutate(attributes) {
      const isNamespace = attributes.context.resource.resource === 'namespaces';
      if (isNamespace || attributes.operation === 'DELETE') {
        const isDelete =
          attributes.operation === 'DELETE' && isResource(attributes, '', 'namespaces');
        if (isDelete && immortal.has(attributes.name)) {
          throw refuse(attributes, 'this namespace may not be deleted');
        }
        return;
      }
      if (attributes.namespace === '' || isAccessReview(attributes)) return;
      const namespace = options.reader.get<Namespace>(
        resources.namespaces,
        '',
        attributes.namespace,
      );
      // The usual case answers without a promise.
      if (namespace !== undefined) check(attributes, namespace);
      else return checkNewest(options.reader, attributes);
    },
  };
}

async function checkNewest(reader: ObjectReader, attributes: AdmissionAttributes): Promise<void> {
  const { namespace: name } = attributes;
  const namespace = await getOrRefresh<Namespace>(reader, resources.namespaces, '', name);
  if (namespace === undefined) throw notFound(resources.namespaces, name);
  check(attributes, namespace);
}

function check(attributes: AdmissionAttributes, namespace: Namespace): void {
  if (attributes.operation !== 'CREATE' || namespace.status?.phase !== 'Terminating') return;
  const { name } = namespace.metadata;
  const error = refuse(
    attributes,
    `unable to create new content in namespace ${name} because it is being terminated`,
  );
  throw new ApiStatusError({
    httpCode: error.httpCode,
    reason: error.reason,
    message: error.message,
    details: {
      ...error.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${name} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });
}

function isAccessReview(attributes: AdmissionAttributes): boolean {
  return attributes.context.resource.group === 'authorization.k8s.io';
}
