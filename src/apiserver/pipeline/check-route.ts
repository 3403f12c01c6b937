import { methodNotAllowed, methodNotRouted, notFound, pathNotRouted } from '../api-errors.ts';
import type { RequestInfo } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Verbs that need the name of an object. */
const onlyOnNames: ReadonlySet<string> = new Set(['update', 'patch', 'delete']);
/** Verbs that a path without namespace has for objects that live in one. */
const acrossNamespaces: ReadonlySet<string> = new Set(['list', 'watch']);

/** Refuses methods that no built-in resource has a route for, whatever the verb that they stand for. */
export function checkMethod(served: ServedResource, method: string, verb: string): void {
  if (served.custom !== undefined) return;
  if (method === 'HEAD' || method === 'OPTIONS' || (verb === 'watch' && method !== 'GET')) {
    throw methodNotRouted();
  }
}

/**
 * Refuses what upstream has no route for: a path that fits neither scope nor subresources of the
 * resource (404), a method that the path does not take (405).
 */
export function checkRoute(served: ServedResource, info: RequestInfo, method: string): void {
  const { subresource, verb, name } = info;
  const { namespaced, resource } = served.info;
  if (namespaced && info.namespace === '' && !acrossNamespaces.has(verb)) {
    throw name === '' ? refusedVerb(served, verb) : pathNotRouted();
  }
  if (!namespaced && info.namespace !== '' && resource !== 'namespaces') throw pathNotRouted();
  if (subresource === '') {
    const isOnCollection = name === '';
    const isPossible =
      verb === 'create' ? isOnCollection : !isOnCollection || !onlyOnNames.has(verb);
    if (!isPossible || !served.info.verbs.includes(verb)) throw refusedVerb(served, verb);
    return;
  }
  const known = served.info.subresources.find((other) => other.name === subresource);
  if (known === undefined) {
    throw served.custom === undefined ? pathNotRouted() : notFound(served.info, name);
  }
  // Backends are asked for their options too, which no verb stands for.
  if (subresource === 'proxy' && method === 'OPTIONS') return;
  if (!known.verbs.includes(verb)) throw refusedVerb(served, verb);
}

/** Whether a custom resource is asked for in the wrong scope: to upstream there is no such path. */
export function isOutOfScope({ custom, info }: ServedResource, asked: RequestInfo): boolean {
  if (custom === undefined) return false;
  if (!info.namespaced) return asked.namespace !== '';
  return asked.namespace === '' && !acrossNamespaces.has(asked.verb);
}

/** Built-in resources have no route for the method; the handler of custom ones refuses the verb. */
function refusedVerb(served: ServedResource, verb: string): Error {
  return served.info.typeName === '' ? methodNotAllowed(served.info, verb) : methodNotRouted();
}
