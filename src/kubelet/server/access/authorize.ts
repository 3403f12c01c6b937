import type { Clock } from '#base/clock.ts';
import { reviewAccess } from '#client/mod.ts';
import type { Client, RequestUser } from '#client/mod.ts';
import { KubeletRequestError } from '../request-error.ts';
import { ExpiringCache } from './expiring-cache.ts';

const allowedLifetimeMs = 5 * 60_000;
const deniedLifetimeMs = 30_000;
const maxDecisions = 1000;

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of nodes by the path's first segment: any of them is enough. */
const subresources: Readonly<Record<string, readonly string[]>> = {
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  spec: ['spec'],
  checkpoint: ['checkpoint'],
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
  flagz: ['configz'],
  statusz: ['statusz'],
};

/** Throws KubeletRequestError 403 unless the user may do this. */
export type AuthorizeRequest = (user: RequestUser, method: string, path: string) => Promise<void>;

/** What a request to the kubelet asks of the API: verb and subresources of the node. */
export function nodeAttributes(
  method: string,
  path: string,
): { verb: string; subresources: readonly string[] } {
  const first = path.split('/').find((segment) => segment !== '') ?? '';
  const wanted = Object.hasOwn(subresources, first) ? subresources[first] : undefined;
  return { verb: verbs[method] ?? '', subresources: wanted ?? ['proxy'] };
}

/** Asks the API server by SubjectAccessReview, and remembers what it said. */
export function createRequestAuthorizer(options: {
  client: Client;
  nodeName: string;
  clock: Clock;
  allowedCacheMs?: number | undefined;
  deniedCacheMs?: number | undefined;
}): AuthorizeRequest {
  const { client, nodeName, clock } = options;
  const { allowedCacheMs = allowedLifetimeMs, deniedCacheMs = deniedLifetimeMs } = options;
  const decisions = new ExpiringCache<boolean>({ clock, capacity: maxDecisions });

  const isAllowed = async (user: RequestUser, verb: string, sub: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, sub]);
    const known = decisions.get(key);
    if (known !== undefined) return known;
    const answer = await reviewAccess(client, user, {
      resourceAttributes: {
        verb,
        version: 'v1',
        resource: 'nodes',
        subresource: sub,
        name: nodeName,
      },
    });
    decisions.set(key, answer, answer ? allowedCacheMs : deniedCacheMs);
    return answer;
  };

  return async (user, method, path) => {
    const { verb, subresources: wanted } = nodeAttributes(method, path);
    for (const sub of wanted) if (await isAllowed(user, verb, sub)) return;
    throw new KubeletRequestError(
      403,
      `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${wanted.join(' ')}])\n`,
    );
  };
}
