import type { OpenApiV2Document } from '#schema/openapi/mod.ts';

type Json = Readonly<Record<string, unknown>>;

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** Version 3 of the paths below `prefix` of a version 2 document, with all its definitions. */
export function toOpenApiV3(document: OpenApiV2Document, prefix: string): Json {
  const { info, paths, definitions } = document as unknown as Record<string, Json>;
  const own = Object.entries(paths ?? {}).filter(
    ([path]) => path === prefix || path === `${prefix}/` || path.startsWith(`${prefix}/`),
  );
  return {
    openapi: '3.0.0',
    info,
    paths: Object.fromEntries(own.map(([path, item]) => [path, pathItem(item as Json)])),
    components: { schemas: movedReferences(definitions ?? {}) },
  };
}

function pathItem(item: Json): Json {
  const result: Record<string, unknown> = {};
  const shared = parametersOf(item);
  if (shared.length > 0) result['parameters'] = shared.map(parameter);
  for (const method of methods) {
    const value = item[method];
    if (value !== undefined) result[method] = operation(value as Json);
  }
  return result;
}

function parametersOf(of: Json): readonly Json[] {
  return (of['parameters'] as readonly Json[] | undefined) ?? [];
}

function operation(of: Json): Json {
  const { consumes, produces, parameters: _parameters, responses, schemes: _schemes, ...rest } = of;
  const all = parametersOf(of);
  const body = all.find((one) => one['in'] === 'body');
  const plain = all.filter((one) => one['in'] !== 'body');
  const typesOf = (types: unknown): readonly string[] =>
    Array.isArray(types) && types.length > 0 ? (types as string[]) : ['*/*'];
  const content = (schema: unknown, types: readonly string[]): Json =>
    Object.fromEntries(types.map((type) => [type, { schema: movedReferences(schema) }]));
  const answers = Object.entries((responses ?? {}) as Record<string, Json>).map(
    ([code, { schema, ...response }]) => [
      code,
      schema === undefined
        ? response
        : { ...response, content: content(schema, typesOf(produces)) },
    ],
  );
  return {
    ...rest,
    ...(plain.length === 0 ? {} : { parameters: plain.map(parameter) }),
    ...(body === undefined
      ? {}
      : { requestBody: { content: content(body['schema'], typesOf(consumes)) } }),
    responses: Object.fromEntries(answers) as Json,
  };
}

function parameter(of: Json): Json {
  const { type, uniqueItems, format, items, ...rest } = of;
  if (type === undefined) return rest;
  const schema = Object.entries({ type, uniqueItems, format, items }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...rest, schema: Object.fromEntries(schema) };
}

/** References to definitions point to schemas in version 3. */
function movedReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(movedReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace(/^#\/definitions\//, '#/components/schemas/')]
        : [key, movedReferences(inner)],
    ),
  );
}
