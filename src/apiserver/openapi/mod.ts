/**
 * OpenAPI documents over HTTP: which form a client gets, caching and compression. What is in the
 * documents is #schema/openapi. Start reading at openapi-routes.ts.
 */
export { createOpenApiRoutes } from './openapi-routes.ts';
export type { OpenApiRoutes, OpenApiRoutesOptions } from './openapi-routes.ts';
