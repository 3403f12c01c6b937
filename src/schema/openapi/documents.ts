import type { ResourceInfo } from '../resource-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { CustomSchemas } from './custom-types.ts';
import { customDefinitions } from './custom-types.ts';
import type { Dialect, JsonSchema } from './json-schema.ts';
import { refTo, v2Dialect, v3Dialect } from './json-schema.ts';
import type { OperationPlan, PathPlan } from './operations.ts';
import { listTypeNameOf, pathsOf } from './operations.ts';
import { metaPackage, schemaOfType, withReferences } from './type-schema.ts';

type Json = Record<string, unknown>;

export interface OpenApiOptions {
  /** Schemas of custom resources; one without a schema takes any object. */
  readonly customSchemas?: CustomSchemas | undefined;
  /** As /version says: v1.36.2+k3ts1. */
  readonly version?: string | undefined;
}

export interface OpenApiV2Document {
  swagger: '2.0';
  info: { title: string; version: string };
  paths: Record<string, Json>;
  definitions: Record<string, JsonSchema>;
  securityDefinitions: Json;
  security: Json[];
}

export interface OpenApiV3Document {
  openapi: '3.0.0';
  info: { title: string; version: string };
  paths: Record<string, Json>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Json };
}

const noSchemas: CustomSchemas = new Map();

function infoOf(options: OpenApiOptions): { title: string; version: string } {
  return { title: 'Kubernetes', version: options.version ?? 'unversioned' };
}

const bearerToken = { type: 'apiKey', name: 'authorization', in: 'header' };

/** Types that a document holds beside those of its resources. */
const alwaysThere = ['DeleteOptions', 'Status', 'Patch', 'ObjectMeta', 'ListMeta'].map(
  (name) => `${metaPackage}.${name}`,
);
const discoveryTypes = [
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'WatchEvent',
].map((name) => `${metaPackage}.${name}`);

function definitions(
  resources: readonly ResourceInfo[],
  plans: readonly PathPlan[],
  dialect: Dialect,
  schemas: CustomSchemas,
): Record<string, JsonSchema> {
  const roots = new Set(alwaysThere);
  if (dialect.version === 2) for (const name of discoveryTypes) roots.add(name);
  const custom: Record<string, JsonSchema> = {};
  for (const info of resources) {
    if (typeTable.type(info.typeName) !== undefined) {
      roots.add(info.typeName);
      if (info.listKind !== '') roots.add(listTypeNameOf(info));
    } else {
      Object.assign(custom, customDefinitions(info, schemas.get(info.typeName), dialect));
    }
  }
  for (const { operations } of plans) {
    for (const { body, answers } of operations) {
      for (const name of [body, ...answers.map(([, type]) => type)]) {
        if (name !== undefined && custom[name] === undefined) roots.add(name);
      }
    }
  }
  const result: Record<string, JsonSchema> = {};
  for (const name of withReferences(roots)) result[name] = schemaOfType(name, dialect);
  return Object.assign(result, custom);
}

const reasons: Readonly<Record<string, string>> = {
  '200': 'OK',
  '201': 'Created',
  '202': 'Accepted',
};

/** One document over all resources, as /openapi/v2 serves it. A plain value, made anew each call. */
export function openApiV2(
  resources: readonly ResourceInfo[],
  options: OpenApiOptions = {},
): OpenApiV2Document {
  const plans = resources.flatMap(pathsOf);
  const paths: Record<string, Json> = {};
  for (const plan of plans) paths[plan.path] = pathItem(plan, v2Dialect);
  return {
    swagger: '2.0',
    info: infoOf(options),
    paths,
    definitions: definitions(resources, plans, v2Dialect, options.customSchemas ?? noSchemas),
    securityDefinitions: {
      BearerToken: { ...bearerToken, description: 'Bearer Token authentication' },
    },
    security: [{ BearerToken: [] }],
  };
}

/** The document of one group version, as /openapi/v3/apis/<group>/<version> serves it. */
export function openApiV3(
  groupVersion: { group: string; version: string },
  resources: readonly ResourceInfo[],
  options: OpenApiOptions = {},
): OpenApiV3Document {
  const own = resources.filter(
    ({ group, version }) => group === groupVersion.group && version === groupVersion.version,
  );
  const plans = own.flatMap(pathsOf);
  const paths: Record<string, Json> = {};
  for (const plan of plans) paths[plan.path] = pathItem(plan, v3Dialect);
  return {
    openapi: '3.0.0',
    info: infoOf(options),
    paths,
    components: {
      schemas: definitions(own, plans, v3Dialect, options.customSchemas ?? noSchemas),
      securitySchemes: { BearerToken: bearerToken },
    },
  };
}

function pathItem(plan: PathPlan, dialect: Dialect): Json {
  const item: Json = {};
  for (const operation of plan.operations) {
    item[operation.method] =
      dialect.version === 2 ? v2Operation(operation) : v3Operation(operation);
  }
  const parameters = plan.parameters.map((name) => ({
    name,
    in: 'path',
    required: true,
    ...parameterType('string', dialect),
  }));
  return parameters.length === 0 ? item : { ...item, parameters };
}

function parameterType(type: string, { version }: Dialect): Json {
  return version === 2 ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } };
}

function queryParameters(operation: OperationPlan, dialect: Dialect): Json[] {
  return operation.query.map(([name, type]) => ({
    name,
    in: 'query',
    ...parameterType(type, dialect),
  }));
}

function extensions(operation: OperationPlan): Json {
  return {
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
}

function v2Operation(operation: OperationPlan): Json {
  const parameters = queryParameters(operation, v2Dialect);
  if (operation.body !== undefined) {
    parameters.unshift({
      name: 'body',
      in: 'body',
      ...(operation.isBodyRequired ? { required: true } : {}),
      schema: refTo(operation.body, v2Dialect),
    });
  }
  const responses: Json = {};
  for (const [code, typeName] of operation.answers) {
    const schema = typeName === undefined ? { type: 'string' } : refTo(typeName, v2Dialect);
    responses[code] = { description: reasons[code] ?? '', schema };
  }
  responses['401'] = { description: 'Unauthorized' };
  return {
    consumes: operation.consumes,
    produces: operation.produces,
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.operationId,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses,
    ...extensions(operation),
  };
}

function content(types: readonly string[], schema: JsonSchema): Json {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function v3Operation(operation: OperationPlan): Json {
  const parameters = queryParameters(operation, v3Dialect);
  const responses: Json = {};
  for (const [code, typeName] of operation.answers) {
    const schema = typeName === undefined ? { type: 'string' } : refTo(typeName, v3Dialect);
    const description = reasons[code] ?? '';
    responses[code] = { description, content: content(operation.produces, schema) };
  }
  responses['401'] = { description: 'Unauthorized' };
  const body =
    operation.body === undefined
      ? {}
      : {
          requestBody: {
            content: content(operation.consumes, refTo(operation.body, v3Dialect)),
            ...(operation.isBodyRequired ? { required: true } : {}),
          },
        };
  return {
    tags: [operation.tag],
    operationId: operation.operationId,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...body,
    responses,
    ...extensions(operation),
  };
}
