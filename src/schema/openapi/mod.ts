/**
 * OpenAPI documents of the API, versions 2 and 3, from the type table and the resources that
 * are served, custom ones included. It serves nothing itself. Start reading at pages.ts: it keeps
 * the bytes; documents.ts puts a document together.
 */
export type { CustomSchemas } from './custom-types.ts';
export { customTypeName } from './custom-types.ts';
export type { OpenApiOptions, OpenApiV2Document, OpenApiV3Document } from './documents.ts';
export { openApiV2, openApiV3 } from './documents.ts';
export type { JsonSchema } from './json-schema.ts';
export type { OpenApiPage, OpenApiPages, OpenApiPagesOptions } from './pages.ts';
export { createOpenApiPages, openApiV3Root } from './pages.ts';
export { encodeOpenApiV2 } from './protobuf.ts';
