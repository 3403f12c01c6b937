import type { IncomingMessage } from 'node:http';
import { bearerToken, certificateUser, reviewAccess, reviewToken } from '#client/mod.ts';
import type { Client, RequestUser } from '#client/mod.ts';

const anonymous: RequestUser = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const masters = 'system:masters';

/** Why a request is refused; undefined when it may go on. */
export interface AccessRefusal {
  readonly status: 401 | 403;
  readonly reason: 'Unauthorized' | 'Forbidden';
  readonly message: string;
}

/**
 * Decides who may read a path as upstream's components do: a client certificate (which TLS has
 * checked), else a bearer token by TokenReview, else nobody; then by SubjectAccessReview. Both are
 * asked of the API server of this process each time. Some paths are open to everybody.
 */
export function createDelegatedAccess(options: {
  /** Acts as the component. */
  readonly client: Client;
  /** Paths, or starts of paths that end in an asterisk, for everybody. */
  readonly openPaths: readonly string[];
}): (request: IncomingMessage, path: string) => Promise<AccessRefusal | undefined> {
  const { client, openPaths } = options;
  const isOpen = (path: string): boolean =>
    openPaths.some((open) =>
      open.endsWith('*') ? path.startsWith(open.slice(0, -1)) : path === open,
    );

  const userOf = async (request: IncomingMessage): Promise<RequestUser | undefined> => {
    const ofCertificate = certificateUser(request);
    if (ofCertificate !== undefined) return ofCertificate;
    const token = bearerToken(request);
    return token === undefined ? anonymous : await reviewToken(client, token);
  };

  return async (request, path) => {
    const user = await userOf(request);
    if (user === undefined) {
      return { status: 401, reason: 'Unauthorized', message: 'Unauthorized' };
    }
    if (isOpen(path) || user.groups.includes(masters)) return undefined;
    const verb = (request.method ?? 'GET').toLowerCase();
    if (await reviewAccess(client, user, { nonResourceAttributes: { path, verb } })) {
      return undefined;
    }
    const message = `forbidden: User "${user.name}" cannot ${verb} path "${path}"`;
    return { status: 403, reason: 'Forbidden', message };
  };
}
