import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

export type SupervisorRequest = IncomingMessage | Http2ServerRequest;
export type SupervisorResponse = ServerResponse | Http2ServerResponse;

/** Who may call a route: nobody needs to be known, an agent (or better), or a server. */
export type SupervisorAccess = 'anyone' | 'agent' | 'server';

export interface SupervisorCaller {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface SupervisorCall {
  readonly request: SupervisorRequest;
  readonly caller: SupervisorCaller | undefined;
  readonly body: Buffer;
}

export interface SupervisorAnswer {
  readonly status?: number;
  readonly contentType?: string;
  readonly body: string | Buffer;
}

export interface SupervisorRoute {
  readonly path: string;
  readonly methods: readonly string[];
  readonly access: SupervisorAccess;
  handle(call: SupervisorCall): Promise<SupervisorAnswer> | SupervisorAnswer;
}

const accessGroups: Record<Exclude<SupervisorAccess, 'anyone'>, readonly string[]> = {
  agent: ['k3s:agent', 'k3s:server', 'system:nodes', 'system:bootstrappers', 'system:masters'],
  server: ['k3s:server', 'system:masters'],
};

/** A signing request is a few hundred bytes; nothing larger is expected here. */
const maxBodyBytes = 64 * 1024;

/**
 * The supervisor API that shares the port with the Kubernetes API. Returns whether the path is the
 * supervisor's; it then answers by itself, failures as metav1.Status like k3s.
 */
export function createSupervisorRouter(options: {
  /** Read at each request: routes may be added after the router is made. */
  routes: readonly SupervisorRoute[];
  /** Undefined for unknown callers; throws ApiStatusError for wrong credentials. */
  authenticate: (request: SupervisorRequest) => Promise<SupervisorCaller | undefined>;
  log: Logger;
}): (request: SupervisorRequest, response: SupervisorResponse) => boolean {
  const { authenticate, log } = options;
  const serve = async (
    route: SupervisorRoute,
    request: SupervisorRequest,
    response: SupervisorResponse,
  ): Promise<void> => {
    try {
      if (!route.methods.includes(request.method ?? '')) {
        throw statusError(405, 'MethodNotAllowed', 'method not allowed');
      }
      const caller = route.access === 'anyone' ? undefined : await authenticate(request);
      if (route.access !== 'anyone') checkAccess(route.access, caller);
      const answer = await route.handle({ request, caller, body: await readBody(request) });
      send(response, answer);
    } catch (error) {
      const status = toStatusError(error);
      if (status.httpCode >= 500) {
        log.error('Supervisor request failed', { path: route.path, error: messageOf(error) });
      }
      send(response, {
        status: status.httpCode,
        contentType: 'application/json',
        body: JSON.stringify(status.toStatus()),
      });
    }
  };
  return (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = options.routes.find((candidate) => candidate.path === path);
    if (route === undefined) {
      if (!path.startsWith('/v1-k3s/')) return false;
      send(response, { status: 404, body: '404 page not found\n' });
      return true;
    }
    void serve(route, request, response);
    return true;
  };
}

function checkAccess(
  access: Exclude<SupervisorAccess, 'anyone'>,
  caller: SupervisorCaller | undefined,
): void {
  const allowed = caller?.groups.some((group) => accessGroups[access].includes(group)) === true;
  if (!allowed) throw statusError(403, 'Forbidden', 'Forbidden');
}

function toStatusError(error: unknown): ApiStatusError {
  if (error instanceof ApiStatusError) return error;
  if (error instanceof K3tsError && error.code === 'BadRequest') {
    return statusError(400, 'BadRequest', error.message);
  }
  return statusError(500, 'InternalError', messageOf(error));
}

/** A Status of the supervisor; reasons and codes as metav1. */
export function statusError(httpCode: number, reason: string, message: string): ApiStatusError {
  return new ApiStatusError({ httpCode, reason, message });
}

async function readBody(request: SupervisorRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > maxBodyBytes) {
      throw statusError(413, 'RequestEntityTooLarge', `limit is ${maxBodyBytes}`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function send(response: SupervisorResponse, answer: SupervisorAnswer): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.statusCode = answer.status ?? 200;
  response.setHeader('content-type', answer.contentType ?? 'text/plain');
  response.setHeader('content-length', body.length);
  response.end(body);
}
