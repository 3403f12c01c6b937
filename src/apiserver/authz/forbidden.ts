import { ApiStatusError } from '#base/api-status-error.ts';

import { forbidden } from '../api-errors.ts';
import type { AuthorizationRequest } from './authorizer.ts';

/** `User "u" cannot list resource "pods" in API group "" in the namespace "n"`. */
export function describeRefusal(request: AuthorizationRequest): string {
  const who = `User ${JSON.stringify(request.user.name)}`;
  const asked = request.resource;
  if (asked === undefined) {
    return `${who} cannot ${request.verb} path ${JSON.stringify(request.path)}`;
  }
  const resource =
    asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const where =
    asked.namespace === ''
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(asked.namespace)}`;
  return `${who} cannot ${asked.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(asked.group)} ${where}`;
}

/** 403 with upstream's text for a request that no authorizer allowed. */
export function forbiddenRequest(request: AuthorizationRequest, reason = ''): ApiStatusError {
  const why = reason === '' ? describeRefusal(request) : `${describeRefusal(request)}: ${reason}`;
  const asked = request.resource;
  if (asked !== undefined) return forbidden(asked, asked.name, why);
  return new ApiStatusError({
    httpCode: 403,
    reason: 'Forbidden',
    message: `forbidden: ${why}`,
    details: {},
  });
}
