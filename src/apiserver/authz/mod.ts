/**
 * What a user may do: superusers, nodes and roles, asked in that order and answered from memory,
 * and the review resources that ask the same questions over the API. It does not know who the user
 * is (authn/) and looks into no request body (admission/). Start reading at union.ts.
 */
export { createAbacAuthorizer } from './abac/abac-authorizer.ts';
export { parsePolicyFile } from './abac/policy-file.ts';
export type { AuthorizationRequest, Authorizer, ResourceAttributes } from './authorizer.ts';
export { forbiddenRequest } from './forbidden.ts';
export { createNodeAuthorizer } from './node/node-authorizer.ts';
export { nodeNameOf } from './node/node-identity.ts';
export type { ObjectChange, ObjectReader } from './object-reader.ts';
export { createRbacAuthorizer } from './rbac/rbac-authorizer.ts';
export type { RbacAuthorizer } from './rbac/rbac-authorizer.ts';
export { countDecisions, createWebhookMeter } from './authorizer-metrics.ts';
export { createReviewHandlers } from './reviews.ts';
export {
  authorizationModes,
  readAuthorizationConfiguration,
} from './config/authorization-configuration.ts';
export type {
  AuthorizationMode,
  AuthorizerEntry,
  WebhookPolicy,
} from './config/authorization-configuration.ts';
export { createWebhookAuthorizer } from './webhook/webhook-authorizer.ts';
export {
  createAlwaysAllowAuthorizer,
  createAlwaysDenyAuthorizer,
  createSuperuserAuthorizer,
  createUnionAuthorizer,
} from './union.ts';
export type { UnionAuthorizer } from './union.ts';
export type { MemoryAuthorizer, UserRules, Verdict } from './verdict.ts';
