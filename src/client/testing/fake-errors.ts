import { ApiStatusError } from '#base/api-status-error.ts';
import type { GroupVersionResource } from '#schema/mod.ts';

/** The failures that the API server answers with most, for tests that inject them as well. */
export const fakeErrors = {
  notFound(resource: GroupVersionResource, name: string): ApiStatusError {
    const message = `${resourceText(resource)} "${name}" not found`;
    return failure(404, 'NotFound', message, resource, name);
  },
  alreadyExists(resource: GroupVersionResource, name: string): ApiStatusError {
    const message = `${resourceText(resource)} "${name}" already exists`;
    return failure(409, 'AlreadyExists', message, resource, name);
  },
  conflict(resource: GroupVersionResource, name: string): ApiStatusError {
    const message =
      `Operation cannot be fulfilled on ${resourceText(resource)} "${name}": the object has been ` +
      'modified; please apply your changes to the latest version and try again';
    return failure(409, 'Conflict', message, resource, name);
  },
  precondition(resource: GroupVersionResource, name: string): ApiStatusError {
    const message = `Operation cannot be fulfilled on ${resourceText(resource)} "${name}": Precondition failed`;
    return failure(409, 'Conflict', message, resource, name);
  },
  namespaceTerminating(
    resource: GroupVersionResource,
    name: string,
    namespace: string,
  ): ApiStatusError {
    return new ApiStatusError({
      httpCode: 403,
      reason: 'Forbidden',
      message:
        `${resourceText(resource)} "${name}" is forbidden: unable to create new content in ` +
        `namespace ${namespace} because it is being terminated`,
      details: {
        name,
        group: resource.group,
        kind: resource.resource,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    });
  },
  expired(version: number, oldest: number): ApiStatusError {
    const message = `too old resource version: ${version} (${oldest})`;
    return new ApiStatusError({ httpCode: 410, reason: 'Expired', message });
  },
} as const;

function resourceText(resource: GroupVersionResource): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

function failure(
  httpCode: number,
  reason: string,
  message: string,
  resource: GroupVersionResource,
  name: string,
): ApiStatusError {
  const details = { name, group: resource.group, kind: resource.resource };
  return new ApiStatusError({ httpCode, reason, message, details });
}
