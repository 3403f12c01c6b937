import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { SubjectAccessReview, SubjectAccessReviewSpec, TokenReview } from '#schema/types.ts';
import type { Client } from './client.ts';
import { resources } from './resources.ts';

/** Who asks a component other than the API server. */
export interface RequestUser {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
}

/** The group of everybody whom a certificate or a token names. */
const authenticated = 'system:authenticated';

/** The user of a client certificate, which TLS has checked; undefined without one. */
export function certificateUser(request: IncomingMessage): RequestUser | undefined {
  const socket = request.socket as TLSSocket;
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

/** The token that a request shows; undefined without one. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^bearer +(\S+)$/i.exec(request.headers.authorization?.trim() ?? '')?.[1];
}

/** Asks the API server whose token this is; undefined when it is nobody's. */
export async function reviewToken(client: Client, token: string): Promise<RequestUser | undefined> {
  const { status } = await client.create<TokenReview>(resources.tokenReviews, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: { name: '' },
    spec: { token },
  });
  if (status?.authenticated !== true) return undefined;
  const { username = '', uid, groups = [] } = status.user ?? {};
  return { name: username, uid, groups };
}

/** Asks the API server whether the user may do this. */
export async function reviewAccess(
  client: Client,
  user: RequestUser,
  attributes: Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>,
): Promise<boolean> {
  const { status } = await client.create<SubjectAccessReview>(resources.subjectAccessReviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: { user: user.name, uid: user.uid, groups: [...user.groups], ...attributes },
  });
  return status?.allowed === true;
}
