import type { GroupVersionResource } from '#schema/mod.ts';

export interface PathParts {
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

export type QueryValue = string | number | boolean | undefined;

/**
 * The URL path of a resource, an object or a subresource, as
 * `/apis/apps/v1/namespaces/a/deployments/d/scale`.
 */
export function resourcePath(resource: GroupVersionResource, parts: PathParts): string {
  let path =
    resource.group === ''
      ? `/api/${resource.version}`
      : `/apis/${resource.group}/${resource.version}`;
  const { namespace, name, subresource } = parts;
  if (namespace !== undefined && namespace !== '' && resource.resource !== 'namespaces') {
    path += `/namespaces/${encodeURIComponent(namespace)}`;
  }
  path += `/${resource.resource}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  if (subresource !== undefined) path += `/${subresource}`;
  return path;
}

/** Adds the parameters that are defined. */
export function withQuery(path: string, query: Record<string, QueryValue>): string {
  let text = '';
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    text += `${text === '' ? '?' : '&'}${key}=${encodeURIComponent(String(value))}`;
  }
  return path + text;
}
