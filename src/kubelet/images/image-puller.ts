import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod, Secret } from '#schema/types.ts';
import { CriError } from '../cri/mod.ts';
import type { AuthConfig, Image, ImageService, PodSandboxConfig } from '../cri/mod.ts';
import { goDuration } from '../go-duration.ts';
import { createKeyedBackOff } from '../pods/crash-back-off.ts';
import { namespaceOf, podKey, specOf, uidOf } from '../pods/names.ts';
import type { PodContainer } from '../pods/names.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { ContainerStartError } from '../pods/start-error.ts';
import { defaultPullPolicy, withDefaultTag } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';
import { createPullSlots } from './pull-slots.ts';

export interface ImageRequest {
  readonly pod: Pod;
  readonly of: PodContainer;
  readonly sandboxConfig: PodSandboxConfig | undefined;
  readonly signal: AbortSignal;
}

export interface ReadyImage {
  /** What CreateContainer is given. */
  readonly ref: string;
  readonly image: Image | undefined;
}

/** Makes images present by each container's pull policy; one pull at a time for the same image. */
export interface ImagePuller {
  /** Throws ContainerStartError with upstream's reasons and texts. */
  ensure(request: ImageRequest): Promise<ReadyImage>;
  forgetPod(uid: string): void;
}

export function createImagePuller(options: {
  images: ImageService;
  clock: Clock;
  events: PodEvents;
  readSecret: (namespace: string, name: string) => Promise<Secret>;
  /** What the node itself knows, for after the pod's own secrets. */
  nodeCredentials?: ((image: string) => Promise<AuthConfig[]>) | undefined;
  /** Pulls at the same time, others wait in order; 0 or absent: any number. */
  maxParallel?: number | undefined;
}): ImagePuller {
  const slots = createPullSlots(options.maxParallel ?? 0);
  const { images, clock, events } = options;
  const backOff = createKeyedBackOff({ clock });
  const lastErrors = new Map<string, { error: ContainerStartError; atMs: number }>();
  /** Each resolves with how long the runtime took. */
  const pulling = new Map<string, Promise<number>>();

  const pullOnce = (image: string, auths: AuthConfig[], request: ImageRequest): Promise<number> => {
    const key = JSON.stringify([image, auths]);
    const running = pulling.get(key);
    if (running !== undefined) return running;
    // Others may wait for the same pull, so one pod's end does not cancel it.
    const pull = slots
      .run(async () => {
        const startMs = clock.monotonicMs();
        await pullWithAuths(images, image, auths, request);
        return clock.monotonicMs() - startMs;
      })
      .finally(() => pulling.delete(key));
    pulling.set(key, pull);
    return pull;
  };

  const pull = async (image: string, request: ImageRequest): Promise<ReadyImage> => {
    const { pod, of } = request;
    const key = `${uidOf(pod)}_${image}`;
    const last = lastErrors.get(key);
    if (last !== undefined && backOff.remainingMs(key, last.atMs) > 0) {
      const message = `Back-off pulling image "${image}"`;
      events.container(pod, of, 'Normal', 'BackOff', message);
      const retryAtMs = clock.now() + backOff.remainingMs(key, last.atMs);
      const text = `${message}: ${last.error.reason}: ${last.error.message}`;
      throw new ContainerStartError('ImagePullBackOff', text, { cause: last.error, retryAtMs });
    }
    events.container(pod, of, 'Normal', 'Pulling', `Pulling image "${image}"`);
    const startMs = clock.monotonicMs();
    let pullMs: number;
    try {
      const auths = await pullAuths(image, request, options);
      pullMs = await traced(
        'pod.pull-image',
        { key: podKey(pod), uid: uidOf(pod), detail: image },
        () => pullOnce(image, auths, request),
      );
    } catch (error) {
      const failure = pullFailure(image, error);
      events.container(
        pod,
        of,
        'Warning',
        'Failed',
        `Failed to pull image "${image}": ${messageOf(error)}`,
      );
      const atMs = clock.now();
      backOff.next(key, atMs);
      lastErrors.set(key, { error: failure, atMs });
      throw failure;
    }
    lastErrors.delete(key);
    const present = await images.imageStatus({ image });
    const took = goDuration(pullMs);
    const waited = goDuration(clock.monotonicMs() - startMs);
    events.container(
      pod,
      of,
      'Normal',
      'Pulled',
      `Successfully pulled image "${image}" in ${took} (${waited} including waiting). Image size: ${present?.size ?? 0} bytes.`,
    );
    return { ref: present?.id ?? image, image: present };
  };

  return {
    async ensure(request) {
      const { pod, of } = request;
      const written = of.container.image ?? '';
      const image = withDefaultTag(written);
      if (image === undefined) throw invalidName(written, request, events);
      const policy = of.container.imagePullPolicy ?? defaultPullPolicy(written);
      const present = await presentImage(image, request, options);
      if (present !== undefined && policy !== 'Always') {
        const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
        events.container(pod, of, 'Normal', 'Pulled', message);
        return { ref: present.id, image: present };
      }
      if (policy === 'Never') {
        const message = `Container image "${image}" is not present with pull policy of Never`;
        events.container(pod, of, 'Warning', 'ErrImageNeverPull', message);
        throw new ContainerStartError('ErrImageNeverPull', message);
      }
      return await pull(image, request);
    },
    forgetPod(uid) {
      backOff.forget(`${uid}_`);
      for (const key of lastErrors.keys()) if (key.startsWith(`${uid}_`)) lastErrors.delete(key);
    },
  };
}

async function presentImage(
  image: string,
  { pod, of }: ImageRequest,
  { images, events }: { images: ImageService; events: PodEvents },
): Promise<Image | undefined> {
  try {
    return await images.imageStatus({ image });
  } catch (error) {
    const message = `Failed to inspect image "": ${messageOf(error)}`;
    events.container(pod, of, 'Warning', 'InspectFailed', message);
    throw new ContainerStartError('ImageInspectError', message, { cause: error });
  }
}

function invalidName(written: string, { pod, of }: ImageRequest, events: PodEvents): Error {
  const isUpper = /[A-Z]/.test(written.split('/').slice(1).join('/') || written);
  const why = isUpper
    ? 'invalid reference format: repository name must be lowercase'
    : 'invalid reference format';
  const message = `Failed to apply default image tag "${written}": couldn't parse image name "${written}": ${why}`;
  events.container(pod, of, 'Warning', 'InspectFailed', message);
  return new ContainerStartError('InvalidImageName', message);
}

async function pullAuths(
  image: string,
  { pod }: ImageRequest,
  {
    readSecret,
    events,
    nodeCredentials,
  }: {
    readSecret: (namespace: string, name: string) => Promise<Secret>;
    events: PodEvents;
    nodeCredentials?: ((image: string) => Promise<AuthConfig[]>) | undefined;
  },
): Promise<AuthConfig[]> {
  const secrets: Secret[] = [];
  const missing: string[] = [];
  for (const { name = '' } of specOf(pod).imagePullSecrets ?? []) {
    try {
      secrets.push(await readSecret(namespaceOf(pod), name));
    } catch {
      missing.push(name);
    }
  }
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    events.pod(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }
  return [...credentialsFor(image, secrets), ...((await nodeCredentials?.(image)) ?? [])];
}

/** Each fitting credential in turn, or none at all; the last failure counts. */
async function pullWithAuths(
  images: ImageService,
  image: string,
  auths: readonly AuthConfig[],
  { sandboxConfig }: ImageRequest,
): Promise<string> {
  let failure: unknown;
  for (const auth of auths.length === 0 ? [undefined] : auths) {
    try {
      return await images.pullImage({ image }, { auth, sandboxConfig });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Reasons that runtimes name at the start of their text. */
const namedFailures: Readonly<Record<string, string>> = {
  RegistryUnavailable: 'the registry is unavailable',
  SignatureValidationFailed: 'the signature validation failed',
};

function pullFailure(image: string, error: unknown): ContainerStartError {
  const details = error instanceof CriError ? error.details : messageOf(error);
  for (const [reason, because] of Object.entries(namedFailures)) {
    if (!details.startsWith(reason)) continue;
    const rest = details.slice(reason.length).replace(/^:\s*/, '');
    const message = `image pull failed for ${image} because ${because}: ${rest}`;
    return new ContainerStartError(reason, message, { cause: error });
  }
  return new ContainerStartError('ErrImagePull', messageOf(error), { cause: error });
}
