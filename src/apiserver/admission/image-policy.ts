import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Pod } from '#schema/types.ts';

import type { WebhookClient, WebhookClientConfig } from '../webhook-client/mod.ts';
import { isResource, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const auditPrefix = 'imagepolicywebhook.image-policy.k8s.io/';
const failedOpen = 'alpha.image-policy.k8s.io/failed-open';
const callTimeoutMs = 30_000;
const maxRemembered = 1024;
const attempts = 5;
const backoffFactor = 1.5;

/** What the configuration file says of ImagePolicyWebhook, with the means to call it. */
export interface ImagePolicyBackend {
  readonly client: WebhookClient;
  readonly config: WebhookClientConfig;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  readonly retryBackoffMs: number;
  /** Whether pods come in when the backend cannot be asked. */
  readonly isAllowedByDefault: boolean;
}

interface ImageReviewStatus {
  readonly allowed?: boolean;
  readonly reason?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** Asks a backend (ImageReview of imagepolicy.k8s.io/v1alpha1) about the images of each pod. */
export function createImagePolicyWebhook(options: {
  backend: ImagePolicyBackend;
  clock: Clock;
}): AdmissionPlugin {
  const { backend, clock } = options;
  const remembered = new Map<string, { untilMs: number; status: ImageReviewStatus }>();

  async function statusOf(spec: object): Promise<ImageReviewStatus> {
    const key = JSON.stringify(spec);
    const known = remembered.get(key);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.status;
    const status = await ask(backend, clock, spec);
    const ttlMs = status.allowed === true ? backend.allowTtlMs : backend.denyTtlMs;
    remembered.delete(key);
    remembered.set(key, { untilMs: clock.monotonicMs() + ttlMs, status });
    if (remembered.size > maxRemembered) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    return status;
  }

  return {
    name: 'ImagePolicyWebhook',
    handles: (attributes) =>
      (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') &&
      (isResource(attributes, '', 'pods') ||
        isResource(attributes, '', 'pods', 'ephemeralcontainers')),
    async validate(attributes) {
      const { trail } = attributes.context;
      let status: ImageReviewStatus;
      try {
        status = await statusOf(reviewSpec(attributes));
      } catch (error) {
        if (!backend.isAllowedByDefault) throw refuse(attributes, messageOf(error));
        trail?.annotate(`${auditPrefix}failed-open`, 'true');
        const { metadata } = podOf(attributes);
        metadata.annotations = { ...metadata.annotations, [failedOpen]: 'true' };
        return;
      }
      for (const [key, value] of Object.entries(status.auditAnnotations ?? {})) {
        trail?.annotate(auditPrefix + key, value);
      }
      if (status.allowed === true) return;
      const { reason = '' } = status;
      const text =
        reason === ''
          ? 'one or more images rejected by webhook backend'
          : `image policy webhook backend denied one or more images: ${reason}`;
      throw refuse(attributes, text);
    },
  };
}

function reviewSpec(attributes: AdmissionAttributes): object {
  const pod: Pod = podOf(attributes);
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const asked =
    attributes.subresource === '' ? [...containers, ...initContainers] : ephemeralContainers;
  const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(([key]) =>
    key.includes('.image-policy.k8s.io/'),
  );
  return {
    containers: asked.map(({ image }) => ({ image })),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    namespace: attributes.namespace,
  };
}

async function ask(
  backend: ImagePolicyBackend,
  clock: Clock,
  spec: object,
): Promise<ImageReviewStatus> {
  const body: object = {
    kind: 'ImageReview',
    apiVersion: 'imagepolicy.k8s.io/v1alpha1',
    metadata: {},
    spec,
    status: { allowed: false },
  };
  let waitMs = backend.retryBackoffMs;
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await backend.client.call(backend.config, body, { timeoutMs: callTimeoutMs });
      return (answer as { status?: ImageReviewStatus } | null)?.status ?? {};
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      const isWorthIt = statusCode === undefined || statusCode === 429 || statusCode >= 500;
      if (attempt === attempts || !isWorthIt) throw error;
      await clock.sleep(waitMs);
      waitMs *= backoffFactor;
    }
  }
}
