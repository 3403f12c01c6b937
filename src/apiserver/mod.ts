/**
 * The Kubernetes API server: HTTP, the request pipeline, the watch cache and the rules of verbs. It
 * knows no datastore product, no certificates' making and no controllers. Start reading at
 * server.ts, then pipeline/request-pipeline.ts.
 */
export type { ConnectHandler } from './connect-hook.ts';
export { HealthChecks } from './health/health-checks.ts';
export type { HealthCheck } from './health/health-checks.ts';
export { gitVersion } from './health/version.ts';
export type { SupervisorHook, TlsOptions } from './http-server.ts';
export type { OperationOptions } from './operation-options.ts';
export type { PathAnswer, PathRequest, PathRoute } from './path-route.ts';
export { AdmissionChain } from './pipeline/admission-chain.ts';
export type { UserInfo } from './request.ts';
export type { ApiServer, ApiServerExtensions, ApiServerOptions, ApiServerParts } from './server.ts';
export { createApiServer } from './server.ts';
