import { createAuthorizerValue, createResourceCheckValue } from '#cel/mod.ts';
import type { CelAuthorizationAttributes, CelAuthorizationDecision } from '#cel/mod.ts';
import type { AuthorizationRequest } from '../../authz/authorizer.ts';
import type { UserInfo } from '../../request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { Decisions } from './decisions.ts';

/** `authorizer` and `authorizer.requestResource`, both for the user of the request. */
export function authorizerVariables(
  decisions: Decisions,
  attributes: AdmissionAttributes,
  view: AdmissionRequestView,
): Readonly<Record<string, unknown>> {
  const { user } = attributes.context;
  const check = (asked: CelAuthorizationAttributes): CelAuthorizationDecision => {
    const { isAllowed, reason, error } = decisions.ask(authorizationRequest(asked, user));
    return { allowed: isAllowed, reason, ...(error === undefined ? {} : { error }) };
  };
  const { group, resource } = view.resource;
  return {
    authorizer: createAuthorizerValue({ check }),
    'authorizer.requestResource': createResourceCheckValue({
      check,
      resource: {
        group,
        resource,
        subresource: view.subresource,
        namespace: view.namespace,
        name: view.name,
      },
    }),
  };
}

function authorizationRequest(
  { verb, path, resource, serviceAccount }: CelAuthorizationAttributes,
  requester: UserInfo,
): AuthorizationRequest {
  const user = serviceAccount === undefined ? requester : serviceAccountUser(serviceAccount);
  if (resource === undefined) return { user, path: path ?? '', verb };
  const { group, subresource, namespace, name, fieldSelector, labelSelector } = resource;
  return {
    user,
    path: '',
    verb,
    resource: {
      verb,
      group,
      version: '*',
      resource: resource.resource,
      subresource,
      namespace,
      name,
      ...(fieldSelector === '' ? {} : { fieldSelector }),
      ...(labelSelector === '' ? {} : { labelSelector }),
    },
  };
}

function serviceAccountUser({ namespace, name }: { namespace: string; name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
}
