import { exactField } from './exact-field.ts';
import type { RequestInfo } from './request.ts';

/** Subresources of namespaces; other segments after a namespace's name are resources in it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

const verbOfMethod: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/**
 * Reads what is asked from method and path, by the rules of upstream's RequestInfo: an unusual
 * path is a request for no resource, with the lower-cased method as its verb.
 */
export function readRequestInfo(method: string, path: string, query: string): RequestInfo {
  // Decoded first and split then, as Go does: an encoded slash separates as well.
  const parts = (decodePath(path) ?? path).split('/').filter((part) => part !== '');
  const isCore = parts[0] === 'api';
  if ((!isCore && parts[0] !== 'apis') || parts.length < (isCore ? 3 : 4)) {
    return nonResource(method, path);
  }
  const group = isCore ? '' : (parts[1] as string);
  const version = parts[isCore ? 1 : 2] as string;
  let rest = parts.slice(isCore ? 2 : 3);
  let verb = verbOfMethod[method] ?? '';
  let isPrefixed = false;
  if (rest[0] === 'watch' || rest[0] === 'proxy') {
    if (rest.length < 2) return nonResource(method, path);
    verb = rest[0];
    isPrefixed = true;
    rest = rest.slice(1);
  }
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] as string;
    if (rest.length > 2 && !namespaceSubresources.has(rest[2] as string)) rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...further] = rest;
  if (resource === 'namespaces' && name !== '') namespace = name;
  return {
    isResourceRequest: true,
    verb: isPrefixed ? verb : collectionVerb(verb, name, query),
    path,
    group,
    version,
    resource,
    subresource,
    namespace,
    name: nameOf(name, verb, query),
    rest: further.join('/'),
  };
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
  };
}

/** get of a collection is list or watch, delete of one is deletecollection. */
function collectionVerb(verb: string, name: string, query: string): string {
  if (name !== '') return verb;
  if (verb === 'get') return isWatchQuery(query) ? 'watch' : 'list';
  if (verb === 'delete') return 'deletecollection';
  return verb;
}

/** A list of one object by field selector is authorized as a request for that name. */
function nameOf(name: string, verb: string, query: string): string {
  if (name !== '' || (verb !== 'get' && verb !== 'watch') || query === '') return name;
  if (!query.includes('fieldSelector=')) return '';
  const selector = new URLSearchParams(query).get('fieldSelector') ?? '';
  if (!selector.includes('metadata.name')) return '';
  const named = exactField(selector, 'metadata.name') ?? '';
  return isPathSegment(named) ? named : '';
}

/** Upstream takes only what could be a segment of a path for a name. */
function isPathSegment(text: string): boolean {
  return text !== '.' && text !== '..' && !/[/%]/.test(text);
}

function isWatchQuery(query: string): boolean {
  const at = query.indexOf('watch=');
  if (at < 0 || (at > 0 && query[at - 1] !== '&')) return /(?:^|&)watch(?:&|$)/.test(query);
  return !/^(?:0|false)(?:&|$)/i.test(query.slice(at + 'watch='.length));
}

/** The path without escapes; undefined when one of them is malformed. */
export function decodePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
