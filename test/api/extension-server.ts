/** A small extension API server on loopback, behind an APIService: flunders.wardle.example.com. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { systemClock } from '#base/clock.ts';
import { systemRandom } from '#base/random.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';

export const extensionGroup = 'wardle.example.com/v1alpha1';

export interface ExtensionServer {
  readonly port: number;
  /** PEM, base64: for spec.caBundle. */
  readonly caBundle: string;
  /** Headers of the requests that clients made, in order. */
  readonly seen: { method: string; url: string; headers: IncomingMessage['headersDistinct'] }[];
  /** Answers that everything gets instead, when set. */
  failWith: number | undefined;
  close(): void;
}

/** Starts it for Service `name` in namespace `namespace` of the server with this data dir. */
export async function startExtensionServer(of: {
  name: string;
  namespace: string;
  dataDir: string;
}): Promise<ExtensionServer> {
  const authority = await createAuthority({
    commonName: 'extension-ca',
    keyPem: await createEcKey(),
    nowMs: systemClock.now(),
    serial: systemRandom.bytes(8),
  });
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority,
    commonName: `${of.name}.${of.namespace}.svc`,
    dnsNames: [`${of.name}.${of.namespace}.svc`],
    purposes: ['server'],
    key,
    nowMs: systemClock.now(),
    serial: systemRandom.bytes(8),
  });
  const ca = await readFile(join(of.dataDir, 'server', 'tls', 'request-header-ca.crt'), 'utf8');
  const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true });
  const extension: ExtensionServer = {
    port: 0,
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    seen: [],
    failWith: undefined,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  server.on('request', (request, response) => {
    if (extension.failWith !== undefined) {
      response.writeHead(extension.failWith).end('out of order');
      return;
    }
    const { method = '', url = '', headersDistinct: headers } = request;
    if (headers['x-remote-user']?.[0] !== 'system:kube-aggregator') {
      extension.seen.push({ method, url, headers });
    }
    answer(request, response);
  });
  server.on('upgrade', (request, socket) => {
    const { method = '', url = '', headersDistinct: headers } = request;
    extension.seen.push({ method, url, headers });
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(extension, { port: (server.address() as AddressInfo).port });
}

const flunder = {
  apiVersion: extensionGroup,
  kind: 'Flunder',
  metadata: { name: 'one', namespace: 'default', uid: 'u1', resourceVersion: '1' },
};
const resource = {
  name: 'flunders',
  singularName: 'flunder',
  namespaced: true,
  kind: 'Flunder',
  shortNames: ['fl'],
  verbs: ['create', 'get', 'list', 'watch'],
};
const flunderSchema = {
  type: 'object',
  properties: { spec: { $ref: '#/definitions/com.example.FlunderSpec' } },
  'x-kubernetes-group-version-kind': [
    { group: 'wardle.example.com', version: 'v1alpha1', kind: 'Flunder' },
  ],
};
const openApiV2 = {
  swagger: '2.0',
  info: { title: 'wardle', version: '1' },
  paths: {
    '/version/': { get: { responses: { 200: { description: 'OK' } } } },
    [`/apis/${extensionGroup}/flunders`]: {
      get: {
        produces: ['application/json'],
        'x-kubernetes-action': 'list',
        'x-kubernetes-group-version-kind': {
          group: 'wardle.example.com',
          version: 'v1alpha1',
          kind: 'Flunder',
        },
        parameters: [{ name: 'limit', in: 'query', type: 'integer' }],
        responses: {
          200: { description: 'OK', schema: { $ref: '#/definitions/com.example.Flunder' } },
        },
      },
    },
  },
  definitions: {
    'com.example.Flunder': flunderSchema,
    'com.example.FlunderSpec': { type: 'object', properties: { size: { type: 'integer' } } },
    'com.example.Unused': { type: 'object' },
  },
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://extension');
  const json = (value: object, status = 200): void => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  const flunders = `/apis/${extensionGroup}/namespaces/default/flunders`;
  if (url.pathname === `/apis/${extensionGroup}`) {
    json({ kind: 'APIResourceList', groupVersion: extensionGroup, resources: [resource] });
  } else if (url.pathname === '/openapi/v2') {
    json(openApiV2);
  } else if (url.pathname === flunders && url.searchParams.get('watch') !== null) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(`${JSON.stringify({ type: 'ADDED', object: flunder })}\n`);
    systemClock.after(100, () => {
      response.write(`${JSON.stringify({ type: 'MODIFIED', object: flunder })}\n`);
    });
  } else if (url.pathname === flunders && request.method === 'POST') {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => json(JSON.parse(body) as object, 201));
  } else if (url.pathname === flunders) {
    json({ apiVersion: extensionGroup, kind: 'FlunderList', metadata: {}, items: [flunder] });
  } else if (url.pathname === `${flunders}/one`) {
    json(flunder);
  } else {
    json({ kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound' }, 404);
  }
}
