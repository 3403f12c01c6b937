import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { SubjectAccessReview, TokenReview } from '#schema/types.ts';

interface User {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
}

const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const masters = 'system:masters';
const authenticated = 'system:authenticated';

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

  const userOf = async (request: IncomingMessage): Promise<User | undefined> => {
    const ofCertificate = certificateUser(request.socket as TLSSocket);
    if (ofCertificate !== undefined) return ofCertificate;
    const header = request.headers.authorization?.trim() ?? '';
    if (header === '') return anonymous;
    const token = /^bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) return anonymous;
    const { status } = await client.create<TokenReview>(resources.tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { name: '' },
      spec: { token },
    });
    if (status?.authenticated !== true) return undefined;
    const { username = '', uid, groups = [] } = status.user ?? {};
    return { name: username, uid, groups };
  };

  return async (request, path) => {
    const user = await userOf(request);
    if (user === undefined) {
      return { status: 401, reason: 'Unauthorized', message: 'Unauthorized' };
    }
    if (isOpen(path) || user.groups.includes(masters)) return undefined;
    const verb = (request.method ?? 'GET').toLowerCase();
    const { status } = await client.create<SubjectAccessReview>(resources.subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { name: '' },
      spec: {
        user: user.name,
        uid: user.uid,
        groups: [...user.groups],
        nonResourceAttributes: { path, verb },
      },
    });
    if (status?.allowed === true) return undefined;
    const message = `forbidden: User "${user.name}" cannot ${verb} path "${path}"`;
    return { status: 403, reason: 'Forbidden', message };
  };
}

function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate() as { subject?: Record<string, unknown> };
  // Of several common names the last counts, as in Go's pkix.Name.
  const name = textsOf(subject?.['CN']).at(-1);
  if (name === undefined) return undefined;
  return { name, groups: [...textsOf(subject?.['O']), authenticated] };
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : [];
}
