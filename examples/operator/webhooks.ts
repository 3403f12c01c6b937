import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { KubernetesObject } from '@kubernetes/client-node';

import { createServingCertificate } from './serving-certificate.ts';
import type { Website } from './website.ts';
import { group, plural, version } from './website.ts';

interface Review {
  request: { uid: string; object: Website };
}

interface Verdict {
  allowed: boolean;
  status?: { message: string; code: number };
  patchType?: 'JSONPatch';
  patch?: string;
  warnings?: string[];
}

export interface WebhookServer {
  /** Where the API server reaches it, and what makes it trust the answers. */
  readonly url: string;
  readonly caBundle: string;
  close(): Promise<void>;
}

/** Answers admission reviews at /default and /check over HTTPS. */
export async function startWebhooks(host: string, port: number): Promise<WebhookServer> {
  const certificate = await createServingCertificate(host);
  const server = createServer(certificate, (request, response) => {
    const judge = request.url?.startsWith('/default') === true ? defaultFields : check;
    json(request)
      .then((body) => {
        const { request: asked } = body as Review;
        const answer = {
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: asked.uid, ...judge(asked.object) },
        };
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
      })
      .catch((error: unknown) => response.writeHead(400).end(String(error)));
  });
  server.listen(port, host);
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `https://${host}:${bound}`,
    caBundle: Buffer.from(certificate.cert).toString('base64'),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Mutating: a page is served once unless its author says otherwise. */
export function defaultFields(site: Website): Verdict {
  if (site.spec.replicas !== undefined) return { allowed: true };
  const patch = [{ op: 'add', path: '/spec/replicas', value: 1 }];
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  return { allowed: true, patchType: 'JSONPatch', patch: encoded };
}

/** Validating: what a schema cannot say. */
export function check(site: Website): Verdict {
  if (/<script/i.test(site.spec.page)) {
    return { allowed: false, status: { code: 422, message: 'spec.page: scripts are not allowed' } };
  }
  const isPlain = !site.spec.page.includes('<');
  return { allowed: true, ...(isPlain ? { warnings: ['spec.page has no HTML elements'] } : {}) };
}

/** The registrations that make the API server ask `server`. */
export function webhookConfigurations({ url, caBundle }: WebhookServer): KubernetesObject[] {
  const registration = (kind: string, path: string): KubernetesObject & { webhooks: object[] } => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: `${plural}.${group}` },
    webhooks: [
      {
        name: `${path}.${plural}.${group}`,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 5,
        failurePolicy: 'Fail',
        clientConfig: { url: `${url}/${path}`, caBundle },
        rules: [
          {
            apiGroups: [group],
            apiVersions: [version],
            resources: [plural],
            operations: ['CREATE', 'UPDATE'],
          },
        ],
      },
    ],
  });
  return [
    registration('MutatingWebhookConfiguration', 'default'),
    registration('ValidatingWebhookConfiguration', 'check'),
  ];
}
